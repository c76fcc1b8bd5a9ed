// SPDX-License-Identifier: Apache-2.0
// The slope of what is lost.
#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>

#include "report/growth.hpp"

using Catch::Approx;
using connleak::growth_per_hour;

namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

// `count` lost, one every `seconds`, from `start` on.
std::vector<std::uint64_t> steady(std::uint64_t start, std::uint64_t count, std::uint64_t seconds) {
  std::vector<std::uint64_t> lost;
  for (std::uint64_t i = 0; i < count; ++i) lost.push_back((start + i * seconds) * kSecond);
  return lost;
}

}  // namespace

TEST_CASE("a steady leak has its own rate, in whatever order it is told") {
  auto lost = steady(100, 60, 60);
  CHECK(growth_per_hour(lost, lost.back()) == Approx(60).epsilon(0.03));
  std::swap(lost.front(), lost.back());
  CHECK(growth_per_hour(lost, lost.front()) == Approx(60).epsilon(0.03));
}

TEST_CASE("one burst beside a slow leak does not move it") {
  auto lost = steady(0, 60, 60);
  const auto slow = growth_per_hour(lost, 3600 * kSecond);
  for (int i = 0; i < 40; ++i) lost.push_back(3500 * kSecond);
  const auto burst = growth_per_hour(lost, 3600 * kSecond);
  REQUIRE((slow.has_value() && burst.has_value()));
  CHECK(*burst == Approx(*slow).epsilon(0.1));
}

TEST_CASE("a leak that stopped long ago grows no more") {
  const auto lost = steady(0, 20, 1);
  CHECK(growth_per_hour(lost, 20 * kSecond) > 3000.0);
  CHECK(growth_per_hour(lost, 400 * kSecond) == 0.0);
}

TEST_CASE("too few, or all at once, have no slope") {
  CHECK_FALSE(growth_per_hour({}, kSecond).has_value());
  CHECK_FALSE(growth_per_hour(steady(0, 2, 60), 200 * kSecond).has_value());
  CHECK_FALSE(growth_per_hour(std::vector<std::uint64_t>(50, kSecond), 900 * kSecond).has_value());
}
