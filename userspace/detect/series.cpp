// SPDX-License-Identifier: Apache-2.0
// S.
#include "detect/series.hpp"

#include "detect/constants.hpp"

namespace connleak::detect {

void Ladder::add(std::uint64_t record, std::uint64_t at_ns, std::uint64_t value) {
  if (!started || value < last) {
    *this = {.start_record = record, .first = value, .last = value, .records = 1, .started = true};
    return;
  }
  ++records;
  if (value > last && (rises == 0 || at_ns >= rise_ns + kBurst)) {
    ++rises;
    rise_ns = at_ns;
  }
  last = value;
}

void Series::set(Member member, std::uint64_t since_ns, model::ThreadKey owner) {
  const auto [at, is_new] = entries_.try_emplace(member);
  if (!is_new && at->second.since_ns == since_ns && at->second.owner == owner) return;
  if (!is_new) drop(member);
  Entry& entry = entries_[member];
  entry = {.since_ns = since_ns, .owner = owner};
  warm_.emplace(since_ns, member);
}

void Series::drop(Member member) {
  const auto found = entries_.find(member);
  if (found == entries_.end()) return;
  if (found->second.cold) cold_to_warm(member, found->second);
  warm_.erase({found->second.since_ns, member});
  entries_.erase(found);
}

bool Series::advance(std::uint64_t cutoff_ns) {
  bool any = false;
  while (!warm_.empty() && warm_.begin()->first < cutoff_ns) {
    const Member member = warm_.begin()->second;
    warm_to_cold(member, entries_.at(member));
    any = true;
  }
  while (!cold_.empty() && cold_.rbegin()->first >= cutoff_ns) {
    const Member member = cold_.rbegin()->second;
    cold_to_warm(member, entries_.at(member));
    any = true;
  }
  return any;
}

void Series::record(std::uint64_t at_ns, std::uint64_t cutoff_ns) {
  advance(cutoff_ns);
  ++record_;
  total_.add(record_, at_ns, cold_.size());
  owner_.add(record_, at_ns, largest());
}

void Series::warm_to_cold(Member member, Entry& entry) {
  warm_.erase({entry.since_ns, member});
  cold_.emplace(entry.since_ns, member);
  entry.cold = true;
  entry.joined_record = record_ + 1;
  resize(entry.owner, 1);
}

void Series::cold_to_warm(Member member, Entry& entry) {
  cold_.erase({entry.since_ns, member});
  warm_.emplace(entry.since_ns, member);
  entry.cold = false;
  resize(entry.owner, -1);
}

void Series::resize(model::ThreadKey owner, int by) {
  std::uint64_t& size = owners_[owner];
  if (size != 0)
    if (auto same = sizes_.find(size); --same->second == 0) sizes_.erase(same);
  size = by > 0 ? size + 1 : size - 1;
  if (size != 0)
    ++sizes_[size];
  else
    owners_.erase(owner);
}

const Series::Entry* Series::find(Member member) const {
  const auto found = entries_.find(member);
  return found == entries_.end() ? nullptr : &found->second;
}

std::uint64_t Series::cold_of(model::ThreadKey owner) const {
  const auto found = owners_.find(owner);
  return found == owners_.end() ? 0 : found->second;
}

}  // namespace connleak::detect
