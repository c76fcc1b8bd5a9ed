// SPDX-License-Identifier: Apache-2.0
#include "detect/overdue.hpp"

#include <algorithm>
#include <map>

namespace connleak::detect {

bool Overdue::touched(const model::Connection& member) const {
  const auto accused = accused_.find(&member);
  return accused != accused_.end() && state(member) != accused->second.state;
}

void Overdue::update(const model::Connection& member) {
  if (accused_.contains(&member)) {
    changed_ = true;  // its stack may have come
    return;
  }
  const auto now = state(member);
  const auto waiting = waiting_.find(&member);
  if (waiting != waiting_.end() && now && waiting->second.state == *now) return;
  unschedule(member);
  if (now) schedule(member, *now, now->since_ns + least(*now));
}

void Overdue::leave(const model::Connection& member) { unschedule(member); }

void Overdue::release(const model::Connection& member) {
  if (accused_.erase(&member) == 0) return;
  for (Claim& claim : claims_) std::erase(claim.members, &member);
  std::erase_if(claims_, [](const Claim& claim) { return claim.members.empty(); });
  changed_ = true;
}

bool Overdue::due(std::uint64_t now_ns) const {
  return changed_ || (!due_.empty() && due_.begin()->first <= now_ns);
}

void Overdue::tick(const Moment& moment) {
  while (!due_.empty() && due_.begin()->first <= moment.now_ns) {
    const model::Connection& member = *due_.begin()->second;
    const State now = waiting_.at(&member).state;
    unschedule(member);
    const std::uint64_t over_ns = now.since_ns + limit(member, now, moment);
    if (over_ns > moment.now_ns) {
      schedule(member, now, over_ns);
      continue;
    }
    accused_.emplace(&member, Accused{now, moment.now_ns});
    changed_ = true;
  }
  if (changed_) regroup(moment);
  changed_ = false;
}

void Overdue::regroup(const Moment& moment) {
  std::map<std::pair<unsigned, const model::Stack*>, Claim> places;
  for (const auto& [member, accused] : accused_) {
    Claim& claim = places[{accused.state.kind, place(*member)}];
    claim.members.push_back(member);
    if (claim.since_ns == 0 || accused.since_ns < claim.since_ns) claim.since_ns = accused.since_ns;
  }
  claims_.clear();
  for (auto& [place, claim] : places) {
    claim.stack = place.second;
    describe(claims_.emplace_back(std::move(claim)), place.first, moment);
  }
}

void Overdue::schedule(const model::Connection& member, State state, std::uint64_t due_ns) {
  waiting_[&member] = {state, due_ns};
  due_.emplace(due_ns, &member);
}

void Overdue::unschedule(const model::Connection& member) {
  const auto found = waiting_.find(&member);
  if (found == waiting_.end()) return;
  due_.erase({found->second.due_ns, &member});
  waiting_.erase(found);
}

}  // namespace connleak::detect
