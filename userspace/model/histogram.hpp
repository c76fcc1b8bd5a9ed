// SPDX-License-Identifier: Apache-2.0
// Durations in the buckets of wire_gap_bucket(), forgetting slowly.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wire.h"

namespace connleak::model {

// Counts are halved when their sum reaches `horizon`, so that they speak of about the last `horizon` values
// (verdicts: "about the last 2,000"). Buckets are at most an eighth wide.
class Histogram {
 public:
  static constexpr double kHorizon = 2000;

  void add(std::uint64_t value_ns, double count = 1) { add_bucket(wire_gap_bucket(value_ns), count); }
  void add_bucket(unsigned bucket, double count);
  // For values that are replaced while they last (a member's longest gap so far). Never below zero.
  void remove(std::uint64_t value_ns);

  // Values counted since the beginning, not decayed.
  [[nodiscard]] std::uint64_t seen() const { return seen_; }
  [[nodiscard]] double total() const { return total_; }
  [[nodiscard]] double count(unsigned bucket) const { return counts_[bucket]; }
  // The upper bound of the bucket in which the quantile lies, nanoseconds; nullopt when empty.
  [[nodiscard]] std::optional<std::uint64_t> quantile(double q) const;
  // The same over the sum of two histograms.
  [[nodiscard]] static std::optional<std::uint64_t> quantile(const Histogram& a, const Histogram& b, double q);

 private:
  std::array<float, WIRE_GAP_BUCKETS> counts_{};
  double total_ = 0;
  std::uint64_t seen_ = 0;
};

}  // namespace connleak::model
