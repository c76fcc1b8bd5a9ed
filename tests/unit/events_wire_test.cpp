// SPDX-License-Identifier: Apache-2.0
// bpf/wire.h: the buckets of idle gaps.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <vector>

#include "wire.h"

namespace {

// Around every power of two and every eighth between them, where a bucket could be off by one.
std::vector<std::uint64_t> telling_gaps() {
  std::vector<std::uint64_t> gaps{0, 1, 999'999, 1'000'000'000};
  for (unsigned octave = 3; octave < 48; ++octave) {
    for (std::uint64_t step = 8; step < 16; ++step) {
      const std::uint64_t edge = step << (octave - 3);
      gaps.insert(gaps.end(), {edge - 1, edge, edge + 1});
    }
  }
  std::sort(gaps.begin(), gaps.end());
  return gaps;
}

}  // namespace

TEST_CASE("a gap lies in its bucket's bounds", "[events]") {
  constexpr std::uint64_t top = std::uint64_t{1} << 44;  // 24 octaves above 2^20
  for (const std::uint64_t gap : telling_gaps()) {
    const unsigned bucket = wire_gap_bucket(gap);
    INFO("gap " << gap << " bucket " << bucket);
    REQUIRE(bucket < WIRE_GAP_BUCKETS);
    if (gap >= top) {
      CHECK(bucket == WIRE_GAP_BUCKETS - 1);
      continue;
    }
    CHECK(gap < wire_gap_bound_ns(bucket));
    if (bucket > 0) CHECK(gap >= wire_gap_bound_ns(bucket - 1));
  }
}

TEST_CASE("buckets rise, and each is at most an eighth wide", "[events]") {
  CHECK(wire_gap_bound_ns(0) == std::uint64_t{1} << 20);
  for (unsigned bucket = 1; bucket < WIRE_GAP_BUCKETS; ++bucket) {
    const std::uint64_t lower = wire_gap_bound_ns(bucket - 1);
    const std::uint64_t upper = wire_gap_bound_ns(bucket);
    INFO("bucket " << bucket << " from " << lower << " to " << upper);
    REQUIRE(lower < upper);
    CHECK((upper - lower) * 8 <= lower);
    CHECK(wire_gap_bucket(lower) == bucket);
    CHECK(wire_gap_bucket(upper - 1) == bucket);
  }
}

TEST_CASE("longer gaps never fall into lower buckets", "[events]") {
  unsigned last = 0;
  for (const std::uint64_t gap : telling_gaps()) {
    const unsigned bucket = wire_gap_bucket(gap);
    INFO("gap " << gap);
    CHECK(bucket >= last);
    last = bucket;
  }
  CHECK(wire_gap_bucket(UINT64_MAX) == WIRE_GAP_BUCKETS - 1);
}
