// SPDX-License-Identifier: Apache-2.0
// L4.
#include "detect/abandoned_result.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

AbandonedResult::AbandonedResult(const model::Group& group, std::uint64_t hold_after_ns)
    : Overdue({.id = "L4", .name = "abandoned-result", .confidence = Confidence::high}),
      group_(group),
      hold_after_ns_(hold_after_ns) {}

void AbandonedResult::update(const model::Connection& member) {
  const auto pause = pauses_.find(&member);
  const std::uint32_t read = member.record.copied_seq;
  // What a late one asked was not seen: little may be a notice or a notification, much is an answer.
  const std::uint32_t least = member.used() ? 1 : kUnreadAnswer;
  const bool unread =
      member.record.unread_bytes >= least && (member.used() || member.late()) && server_gone_at(member) == 0;
  if (pause != pauses_.end() && (!unread || pause->second.copied_seq != read)) {
    longest_ended_ns_ =
        std::max(longest_ended_ns_, member.seen_ns - std::min(member.seen_ns, pause->second.since_ns));
    pauses_.erase(pause);
  }
  if (unread) pauses_.try_emplace(&member, Pause{read, member.seen_ns});
  Overdue::update(member);
}

void AbandonedResult::leave(const model::Connection& member) {
  pauses_.erase(&member);
  Overdue::leave(member);
}

std::optional<Overdue::State> AbandonedResult::state(const model::Connection& member) const {
  const auto pause = pauses_.find(&member);
  const Gate at = gate(member);
  if (pause == pauses_.end() || (at != Gate::passes && at != Gate::in_use)) return std::nullopt;
  if (member.record.unread_bytes == 0 || member.record.copied_seq != pause->second.copied_seq) return std::nullopt;
  return State{pause->second.since_ns, 0};
}

std::uint64_t AbandonedResult::least(State) const { return hold_after_ns_; }

std::uint64_t AbandonedResult::limit(const model::Connection&, State state, const Moment& moment) const {
  const std::uint64_t wanted = std::max({hold_after_ns_, moment.cutoff->ns, kPauseFactor * longest_ended_ns_});
  // A process that was stopped, or hangs as a whole, reads nothing either: that it goes on must be seen.
  if (group_.process->last_answered_ns > state.since_ns) return wanted;
  return std::max(wanted, moment.now_ns + kSecond - std::min(moment.now_ns, state.since_ns));
}

void AbandonedResult::describe(Claim& claim, unsigned, const Moment& moment) const {
  claim.evidence.push_back(fmt::format(
      "an answer lies unread, and the program has read nothing of it for longer than {}, while it went on "
      "with other connections; the longest pause that ended took {}",
      seconds_text(std::max(hold_after_ns_, moment.cutoff->ns)), seconds_text(longest_ended_ns_)));
}

RuleAnswer AbandonedResult::answer(const Moment&) const {
  RuleAnswer answer{"L4", "abandoned-result", !claims().empty(), ""};
  if (answer.fires)
    answer.reason = claims().front().evidence.front();
  else
    answer.reason = fmt::format("{} with an unread answer, none for long enough", pauses_.size());
  return answer;
}

std::string AbandonedResult::spared(const model::Connection& member, const Moment&) const {
  if (!state(member) || accuses(member)) return "";
  return "an answer lies unread, not for long enough yet";
}

}  // namespace connleak::detect
