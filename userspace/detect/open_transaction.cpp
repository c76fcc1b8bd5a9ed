// SPDX-License-Identifier: Apache-2.0
// L3.
#include "detect/open_transaction.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

OpenTransaction::OpenTransaction(const model::Group& group, std::uint64_t hold_after_ns)
    : Overdue({.id = "L3", .name = "open-transaction", .confidence = Confidence::high}),
      group_(group),
      hold_after_ns_(hold_after_ns) {}

std::optional<Overdue::State> OpenTransaction::state(const model::Connection& member) const {
  if (!idle_in_transaction(member)) return std::nullopt;
  const auto since = model::idle_since(member);
  if (!since) return std::nullopt;
  return State{*since, member.record.transaction == WIRE_TRANSACTION_FAILED ? kFailed : kOpen};
}

std::uint64_t OpenTransaction::least(State state) const {
  return state.kind == kFailed ? std::min(kFailedTransaction, hold_after_ns_)
                               : kOpenTransactionFactor * hold_after_ns_;
}

OpenTransaction::Finished OpenTransaction::finished(const model::Stack* place) const {
  Finished all;
  for (const model::Connection* member : group_.members) {
    if (member->last_use_stack != place || member->record.transactions == 0) continue;
    all.count += member->record.transactions;
    all.longest_ns = std::max<std::uint64_t>(all.longest_ns, member->record.longest_transaction_ns);
  }
  return all;
}

std::uint64_t OpenTransaction::limit(const model::Connection& member, State state, const Moment&) const {
  if (state.kind == kFailed) return least(state);
  const Finished before = finished(member.last_use_stack);
  if (before.count < kTransactionsWanted) return least(state);
  return std::max(least(state), kTransactionFactor * before.longest_ns);
}

void OpenTransaction::describe(Claim& claim, unsigned kind, const Moment&) const {
  const Finished before = finished(claim.stack);
  if (kind == kFailed) {
    claim.evidence.push_back(fmt::format(
        "a transaction failed and was neither rolled back nor ended: nothing but that can be done with it, and "
        "nothing came for longer than {}",
        seconds_text(least({0, kFailed}))));
    return;
  }
  const bool many = claim.stack != nullptr && claim.members.size() >= kLeakConnections;
  claim.confidence = many ? Confidence::high : Confidence::medium;
  claim.evidence.push_back(
      fmt::format("a transaction was begun and left open, nothing came for longer than {} ({} x "
                  "--hold-after)",
                  seconds_text(least({0, kOpen})), kOpenTransactionFactor));
  if (before.count >= kTransactionsWanted)
    claim.evidence.push_back(fmt::format("{} transactions of this place finished, the longest within {}",
                                         number_text(before.count), seconds_text(before.longest_ns)));
}

RuleAnswer OpenTransaction::answer(const Moment&) const {
  RuleAnswer answer{"L3", "open-transaction", !claims().empty(), ""};
  for (const Claim& claim : claims())
    for (const std::string& sentence : claim.evidence)
      answer.reason += (answer.reason.empty() ? "" : "; ") + sentence;
  if (answer.reason.empty())
    answer.reason =
        fmt::format("none idle in a failed transaction longer than {}, or in an open one longer than {}",
                    seconds_text(least({0, kFailed})), seconds_text(least({0, kOpen})));
  return answer;
}

std::string OpenTransaction::spared(const model::Connection& member, const Moment& moment) const {
  const auto now = state(member);
  if (!now || accuses(member)) return "";
  return fmt::format("in a transaction, idle for {}: accused after {}",
                     seconds_text(moment.now_ns - std::min(moment.now_ns, now->since_ns)),
                     seconds_text(limit(member, *now, moment)));
}

}  // namespace connleak::detect
