// SPDX-License-Identifier: Apache-2.0
// Events in the order in which they happened.
#include "events/reorder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <variant>

namespace connleak {

Reorder::Reorder(EventSink& next, std::chrono::nanoseconds hold)
    : next_(next), hold_ns_(static_cast<std::uint64_t>(std::max(hold, std::chrono::nanoseconds(0)).count())) {}

void Reorder::event(Event&& event) {
  const std::uint64_t time_ns = event.time_ns;
  if (time_ns < released_ns_) ++late_;
  const auto* scan = std::get_if<ScanEvent>(&event.body);
  if (scan != nullptr && scan->ended) {
    horizon_ns_ = std::max(horizon_ns_, time_ns);
  } else if (time_ns > hold_ns_) {
    horizon_ns_ = std::max(horizon_ns_, time_ns - hold_ns_);
  }

  order_.insert(place_of(time_ns), Held{time_ns, store(std::move(event))});
  while (!order_.empty() && (order_.front().time_ns <= horizon_ns_ || order_.size() > max_held)) release_oldest();
}

void Reorder::flush() {
  while (!order_.empty()) release_oldest();
}

std::deque<Reorder::Held>::iterator Reorder::place_of(std::uint64_t time_ns) {
  // Swapped neighbours are the rule, and a step is cheaper than a guess in the middle.
  auto place = order_.end();
  for (int steps = 16; steps > 0 && place != order_.begin(); --steps) {
    if (std::prev(place)->time_ns <= time_ns) return place;
    --place;
  }
  return std::upper_bound(order_.begin(), place, time_ns,
                          [](std::uint64_t time, const Held& held) { return time < held.time_ns; });
}

std::uint32_t Reorder::store(Event&& event) {
  if (free_.empty()) {
    slots_.push_back(std::move(event));
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  slots_[slot] = std::move(event);
  return slot;
}

void Reorder::release_oldest() {
  const Held oldest = order_.front();
  order_.pop_front();
  released_ns_ = std::max(released_ns_, oldest.time_ns);
  next_.event(std::move(slots_[oldest.slot]));
  free_.push_back(oldest.slot);
}

}  // namespace connleak
