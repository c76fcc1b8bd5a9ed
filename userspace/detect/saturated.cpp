// SPDX-License-Identifier: Apache-2.0
// L1, saturated.
#include "detect/saturated.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

Saturated::Saturated(const model::Group& group)
    : Overdue({.id = "L1", .name = "saturated", .confidence = Confidence::medium}), group_(group) {}

void Saturated::update(const model::Connection& member) {
  if ((member.record.flags & WIRE_FLAG_REFUSED) != 0) {
    refused_ns_.insert(member.key.opened_ns);
    if (refused_ns_.size() > kRefusalsKept) refused_ns_.erase(refused_ns_.begin());
  }
  Overdue::update(member);
}

bool Saturated::due(std::uint64_t now_ns) const {
  return refused_ns_.size() >= kRefusalEpochs && Overdue::due(now_ns);
}

std::optional<Overdue::State> Saturated::state(const model::Connection& member) const {
  // Of those opened under the observer's eyes the growth was seen: L1 itself judges that.
  if (!member.late() || server_gone_at(member) != 0) return std::nullopt;
  const Gate at = gate(member);
  // Whose turn it was when the observer came is not known; how long the socket has been silent is.
  const bool silent = at == Gate::in_use && member.record.turn == WIRE_TURN_UNKNOWN;
  if (at != Gate::passes && !silent) return std::nullopt;
  const auto since = model::idle_since(member);
  if (!since) return std::nullopt;
  return State{*since, 0};
}

std::uint64_t Saturated::epochs(const Moment& moment) const {
  return count_epochs({refused_ns_.begin(), refused_ns_.end()}, moment.idle_after_ns);
}

std::uint64_t Saturated::idle(const Moment& moment) const {
  if (counted_ns_ == moment.now_ns) return idle_;
  counted_ns_ = moment.now_ns;
  idle_ = 0;
  for (const model::Connection* member : group_.members) {
    const auto now = state(*member);
    idle_ += now && now->since_ns + moment.cutoff->ns <= moment.now_ns ? 1U : 0U;
  }
  return idle_;
}

std::uint64_t Saturated::limit(const model::Connection&, State state, const Moment& moment) const {
  if (epochs(moment) >= kRefusalEpochs && idle(moment) >= kSaturatedIdle) return moment.cutoff->ns;
  // Looked at again a second later.
  return std::max(moment.cutoff->ns, moment.now_ns + kSecond - std::min(moment.now_ns, state.since_ns));
}

void Saturated::describe(Claim& claim, unsigned, const Moment& moment) const {
  claim.evidence.push_back(
      fmt::format("the server refused {} connections in {} epochs because it has no slot left, while {} of this "
                  "process lay idle for longer than {}",
                  number_text(refused_ns_.size()), number_text(epochs(moment)), number_text(idle(moment)),
                  seconds_text(moment.cutoff->ns)));
  claim.evidence.emplace_back("they were there when the observer came, so how they grew was not seen");
}

RuleAnswer Saturated::answer(const Moment& moment) const {
  RuleAnswer answer{"L1", "saturated", !claims().empty(), ""};
  answer.reason =
      answer.fires
          ? claims().front().evidence.front()
          : fmt::format(
                "refused by the server for want of a slot in {} epochs (needs {}), {} idle longer "
                "than {} (needs {})",
                epochs(moment), kRefusalEpochs, idle(moment), seconds_text(moment.cutoff->ns), kSaturatedIdle);
  return answer;
}

std::string Saturated::spared(const model::Connection&, const Moment&) const { return ""; }

}  // namespace connleak::detect
