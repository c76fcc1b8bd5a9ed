// SPDX-License-Identifier: Apache-2.0
#include "report/growth.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace connleak {
namespace {

// 1,225 slopes a group: some microseconds, whatever the number of connections.
constexpr std::size_t kSamples = 50;
// As many as a LEAK wants: two points make a line through anything.
constexpr std::size_t kWanted = 3;
constexpr double kHour = 3600e9;

}  // namespace

std::optional<double> growth_per_hour(std::vector<std::uint64_t> lost_ns, std::uint64_t now_ns) {
  if (lost_ns.size() < kWanted) return std::nullopt;
  std::sort(lost_ns.begin(), lost_ns.end());
  const std::uint64_t end = std::max(now_ns, lost_ns.back());
  const double step = static_cast<double>(end - lost_ns.front()) / (kSamples - 1);
  if (lost_ns.front() == lost_ns.back() || step < 1) return std::nullopt;
  std::array<double, kSamples> counts{};
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::uint64_t at =
        i + 1 == kSamples ? end : lost_ns.front() + static_cast<std::uint64_t>(step * static_cast<double>(i));
    counts[i] = static_cast<double>(std::upper_bound(lost_ns.begin(), lost_ns.end(), at) - lost_ns.begin());
  }
  std::vector<double> slopes;
  slopes.reserve(kSamples * (kSamples - 1) / 2);
  for (std::size_t i = 0; i < kSamples; ++i)
    for (std::size_t j = i + 1; j < kSamples; ++j)
      slopes.push_back((counts[j] - counts[i]) / (step * static_cast<double>(j - i)));
  const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
  std::nth_element(slopes.begin(), middle, slopes.end());
  return *middle * kHour;
}

}  // namespace connleak
