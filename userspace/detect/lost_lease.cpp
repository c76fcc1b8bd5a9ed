// SPDX-License-Identifier: Apache-2.0
// L2, L11.
#include "detect/lost_lease.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

RuleInfo info_of(LostLease::When when) {
  if (when == LostLease::When::used) return {.id = "L2", .name = "never-returned", .confidence = Confidence::high};
  return {.id = "L11", .name = "lost-on-cancel", .confidence = Confidence::high};
}

const char* object_text(std::uint8_t object) {
  switch (object) {
    case WIRE_OBJECT_ROWS:
      return "rows that were not closed";
    case WIRE_OBJECT_TRANSACTION:
      return "a transaction that was neither committed nor rolled back";
    case WIRE_OBJECT_STATEMENT:
      return "a statement that was not closed";
    case WIRE_OBJECT_CONNECTION:
      return "a connection that was not given back";
    default:
      return "a call that has not come back";
  }
}

}  // namespace

LostLease::LostLease(const model::Group& group, When when, std::uint64_t hold_after_ns)
    : Overdue(info_of(when)), group_(group), when_(when), hold_after_ns_(hold_after_ns) {}

std::optional<Overdue::State> LostLease::state(const model::Connection& member) const {
  const auto since = leased_idle_since(member);
  if (!since) return std::nullopt;
  const bool used = member.record.last_use_ns >= member.lease->record.acquired_ns;
  if (used != (when_ == When::used)) return std::nullopt;
  return State{*since, member.lease->record.object};
}

std::uint64_t LostLease::least(State) const { return hold_after_ns_; }

std::uint64_t LostLease::limit(const model::Connection& member, State state, const Moment& moment) const {
  if (lost(member, moment)) return hold_after_ns_;
  // Asked again in a second: goroutines end, and pools fill up, at any time.
  return std::max(hold_after_ns_, moment.now_ns + kSecond - std::min(moment.now_ns, state.since_ns));
}

const model::Stack* LostLease::place(const model::Connection& member) const {
  const model::Lease* lease = member.lease;
  return lease != nullptr && lease->acquire_stack != nullptr ? lease->acquire_stack : member.last_use_stack;
}

const model::Pool* LostLease::pool_of(const model::Connection& member, std::uint64_t now_ns) const {
  const auto& pools = group_.process->pools;
  const auto found = member.lease == nullptr ? pools.end() : pools.find(member.lease->record.pool);
  return found == pools.end() || !found->second.is_current(now_ns) ? nullptr : &found->second;
}

bool LostLease::lost(const model::Connection& member, const Moment& moment) const {
  const model::Pool* pool = pool_of(member, moment.now_ns);
  return member.lease->record.owner_gone != 0 || (pool != nullptr && pool->exhausted());
}

void LostLease::describe(Claim& claim, unsigned kind, const Moment& moment) const {
  std::uint64_t longest = 0;
  std::size_t gone = 0;
  std::set<const model::Pool*> full;
  for (const model::Connection* member : claim.members) {
    if (member->lease == nullptr) continue;
    const std::uint64_t acquired = member->lease->record.acquired_ns;
    longest = std::max(longest, moment.now_ns - std::min(moment.now_ns, acquired));
    gone += member->lease->record.owner_gone;
    const model::Pool* pool = pool_of(*member, moment.now_ns);
    if (pool != nullptr && pool->exhausted()) full.insert(pool);
  }
  claim.evidence.push_back(fmt::format(
      "taken out of the pool up to {} ago and held by {}; nothing was sent or "
      "read for longer than --hold-after ({})",
      seconds_text(longest), object_text(static_cast<std::uint8_t>(kind)), seconds_text(hold_after_ns_)));
  if (when_ == When::never_used) claim.evidence.emplace_back("not used once since they were taken");
  if (gone != 0)
    claim.evidence.push_back(fmt::format("the goroutines that took {} of these {} have ended", number_text(gone),
                                         number_text(claim.members.size())));
  for (const model::Pool* pool : full)
    claim.evidence.push_back(fmt::format("the pool is exhausted: {} of {} in use, {} waiting",
                                         number_text(pool->record.in_use), number_text(pool->record.max_open),
                                         number_text(pool->record.waiting)));
}

RuleAnswer LostLease::answer(const Moment&) const {
  RuleAnswer answer{std::string(info().id), std::string(info().name), !claims().empty(), ""};
  for (const Claim& claim : claims())
    for (const std::string& sentence : claim.evidence)
      answer.reason += (answer.reason.empty() ? "" : "; ") + sentence;
  if (answer.reason.empty())
    answer.reason = std::any_of(group_.members.begin(), group_.members.end(),
                                [](const auto* member) { return member->lease != nullptr; })
                        ? fmt::format(
                              "no lease without traffic for longer than {} whose goroutine has ended or "
                              "whose pool is exhausted",
                              seconds_text(hold_after_ns_))
                        : "no probe tells when its pool hands connections out";
  return answer;
}

std::string LostLease::spared(const model::Connection& member, const Moment& moment) const {
  const auto now = state(member);
  if (!now || accuses(member)) return "";
  return fmt::format(
      "taken out of its pool, silent for {}: HELD after {}, lost once its goroutine has ended or "
      "the pool is exhausted",
      seconds_text(moment.now_ns - std::min(moment.now_ns, now->since_ns)), seconds_text(hold_after_ns_));
}

}  // namespace connleak::detect
