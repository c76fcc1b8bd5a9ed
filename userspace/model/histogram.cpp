// SPDX-License-Identifier: Apache-2.0
// Durations in buckets.
#include "model/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace connleak::model {

namespace {

template <class CountOf>
std::optional<std::uint64_t> quantile_of(double total, double q, CountOf count_of) {
  if (total < 0.5) return std::nullopt;
  const double wanted = q * total;
  double below = 0;
  unsigned last = 0;
  for (unsigned bucket = 0; bucket < WIRE_GAP_BUCKETS; ++bucket) {
    const double here = count_of(bucket);
    if (here <= 0) continue;
    below += here;
    last = bucket;
    // Sums of halves are exact in binary, products of a quantile are not.
    if (below + 1e-6 >= wanted) break;
  }
  return wire_gap_bound_ns(last);
}

}  // namespace

void Histogram::add_bucket(unsigned bucket, double count) {
  if (count <= 0) return;
  counts_[bucket] += static_cast<float>(count);
  total_ += count;
  seen_ += static_cast<std::uint64_t>(std::llround(count));
  while (total_ >= kHorizon) {
    total_ = 0;
    for (float& value : counts_) {
      value /= 2;
      total_ += value;
    }
  }
}

void Histogram::remove(std::uint64_t value_ns) {
  float& value = counts_[wire_gap_bucket(value_ns)];
  const float taken = std::min(value, 1.0F);
  value -= taken;
  total_ -= taken;
}

std::optional<std::uint64_t> Histogram::quantile(double q) const {
  return quantile_of(total_, q, [this](unsigned bucket) { return static_cast<double>(counts_[bucket]); });
}

std::optional<std::uint64_t> Histogram::quantile(const Histogram& a, const Histogram& b, double q) {
  return quantile_of(a.total_ + b.total_, q, [&](unsigned bucket) {
    return static_cast<double>(a.counts_[bucket]) + static_cast<double>(b.counts_[bucket]);
  });
}

}  // namespace connleak::model
