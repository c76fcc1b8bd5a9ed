// SPDX-License-Identifier: Apache-2.0
// L8.
#include "detect/closed_by_collector.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

// Who lost it used it last, else opened it.
const model::Stack* place_of(const model::Connection& member) {
  return member.last_use_stack != nullptr ? member.last_use_stack : member.open_stack;
}

}  // namespace

const RuleInfo& ClosedByCollector::info() const {
  static const RuleInfo kInfo{
      .id = "L8", .name = "closed-by-gc", .confidence = Confidence::high, .single_is_leak = true};
  return kInfo;
}

void ClosedByCollector::update(const model::Connection& member) {
  if (member.liveness == model::Liveness::closed && !accused_.contains(&member) && member.collector)
    closed_.insert(&member);
}

void ClosedByCollector::tick(const Moment& moment) {
  std::vector<const model::Connection*> judged(closed_.begin(), closed_.end());
  std::sort(judged.begin(), judged.end(), [](const auto* a, const auto* b) { return a->key < b->key; });
  closed_.clear();
  for (const model::Connection* member : judged) {
    // Until its close; the goodbye of a destructor is no use.
    const auto since = model::idle_since(*member);
    if (!since || member->closed_ns < *since + moment.cutoff->ns) continue;
    const model::Stack* place = place_of(*member);
    ++counts_[place];
    if (accused_.size() >= kCollectedKept) continue;
    accused_.insert(member);
    auto claim = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& c) { return c.stack == place; });
    if (claim == claims_.end())
      claim = claims_.insert(claims_.end(), Claim{place, moment.now_ns, {}, {}, {}, nullptr});
    claim->members.push_back(member);
    describe(*claim);
  }
}

void ClosedByCollector::describe(Claim& claim) {
  const std::uint64_t count = counts_[claim.stack];
  std::uint64_t least = 0;
  for (const model::Connection* member : claim.members) {
    const std::uint64_t idle = member->closed_ns - model::idle_since(*member).value_or(member->closed_ns);
    least = least == 0 ? idle : std::min(least, idle);
  }
  claim.evidence = {fmt::format(
      "{} closed by {}, not by the program: nobody could reach {} any more, for {} at least",
      count == 1 ? "it was" : fmt::format("{} were", number_text(count)),
      claim.members.front()->collector.value_or("a collector"), count == 1 ? "it" : "them", seconds_text(least))};
}

bool ClosedByCollector::keeps(const model::Connection& member) const {
  return closed_.contains(&member) || accused_.contains(&member);
}

void ClosedByCollector::release(const model::Connection& member) {
  closed_.erase(&member);
  if (accused_.erase(&member) == 0) return;
  for (Claim& claim : claims_) std::erase(claim.members, &member);
  std::erase_if(claims_, [](const Claim& claim) { return claim.members.empty(); });
}

RuleAnswer ClosedByCollector::answer(const Moment& moment) const {
  RuleAnswer answer{"L8", "closed-by-gc", !claims_.empty(), ""};
  for (const Claim& claim : claims_) answer.reason += (answer.reason.empty() ? "" : "; ") + claim.evidence.front();
  if (answer.reason.empty())
    answer.reason = fmt::format("none of {} that were closed was closed by a finalizer after T ({})",
                                number_text(group_.closed), seconds_text(moment.cutoff->ns));
  return answer;
}

std::string ClosedByCollector::spared(const model::Connection&, const Moment&) const { return ""; }

}  // namespace connleak::detect
