// SPDX-License-Identifier: Apache-2.0
// A count, and the mark that new records must exceed.
#pragma once

#include <cstdint>
#include <deque>

namespace connleak::detect {

// The mark is the highest count of the last `window_ns`, so that one storm does not blind it. Calls are ordered by
// time.
class HighWater {
 public:
  // One more. True if that is a record: more than at any time in the window before.
  bool add(std::uint64_t at_ns, std::uint64_t window_ns);
  void remove(std::uint64_t at_ns);
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Count of the latest record, and when it was set; 0: none.
  [[nodiscard]] std::uint64_t record_count() const { return record_count_; }
  [[nodiscard]] std::uint64_t record_ns() const { return record_ns_; }

 private:
  void close_segment(std::uint64_t at_ns);
  struct Segment {
    std::uint64_t until_ns;
    std::uint64_t count;
  };
  std::deque<Segment> past_;  // counts fall from front to back: what a later, higher one hides is dropped
  std::uint64_t count_ = 0;
  std::uint64_t record_count_ = 0;
  std::uint64_t record_ns_ = 0;
};

}  // namespace connleak::detect
