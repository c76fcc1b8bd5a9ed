// SPDX-License-Identifier: Apache-2.0
// The high-water mark.
#include "detect/high_water.hpp"

#include <algorithm>

namespace connleak::detect {

void HighWater::close_segment(std::uint64_t at_ns) {
  while (!past_.empty() && past_.back().count <= count_) past_.pop_back();
  past_.push_back({at_ns, count_});
}

bool HighWater::add(std::uint64_t at_ns, std::uint64_t window_ns) {
  while (!past_.empty() && past_.front().until_ns + window_ns < at_ns) past_.pop_front();
  const std::uint64_t mark = std::max(count_, past_.empty() ? 0 : past_.front().count);
  close_segment(at_ns);
  ++count_;
  if (count_ <= mark) return false;
  record_count_ = count_;
  record_ns_ = at_ns;
  return true;
}

void HighWater::remove(std::uint64_t at_ns) {
  if (count_ == 0) return;
  close_segment(at_ns);
  --count_;
}

}  // namespace connleak::detect
