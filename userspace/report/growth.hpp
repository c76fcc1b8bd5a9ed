// SPDX-License-Identifier: Apache-2.0
// How fast connections are being lost: a prediction, never a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace connleak {

// Connections lost an hour. `lost_ns`: when each of the lost ones was used last, in any order; `now_ns`: the end
// of what was seen, same clock. The estimate of Theil and Sen (the median of the slopes between all pairs of
// points), over the count sampled at equal distances: one burst does not move it, and a leak that has long stopped
// makes it fall to 0. Sen, "Estimates of the Regression Coefficient Based on Kendall's Tau", 1968. nullopt for
// fewer than three, or where all were lost at one instant.
[[nodiscard]] std::optional<double> growth_per_hour(std::vector<std::uint64_t> lost_ns, std::uint64_t now_ns);

}  // namespace connleak
