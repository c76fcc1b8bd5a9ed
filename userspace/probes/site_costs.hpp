// SPDX-License-Identifier: Apache-2.0
// What a probe costs on this machine.
#pragma once

#include <cstdint>

#include "base/result.hpp"

namespace connleak {

// Nanoseconds of one hit, the median of some thousand on this program's own functions.
struct SiteCosts {
  double emulated_ns = 0;
  double stepped_ns = 0;
};

// Places a probe in this process and takes it away again; takes some 50 ms.
[[nodiscard]] Result<SiteCosts> measure_site_costs();

}  // namespace connleak
