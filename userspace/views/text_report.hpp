// SPDX-License-Identifier: Apache-2.0
// The report as a person reads it: what leaks, where it was lost, why, and what was left in peace.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace connleak {

struct TextStyle {
  bool colour = false;
  int width = 100;  // cells; below 60 counts as 60. Paths and server filters are never cut, so may be longer.
};

// A block for each finding, gravest first and then by connections; what was not flagged, by process and
// endpoint; what was open when a process ended; a loss warning where there is reason; one line of totals, last.
// ASCII, except for names that are not.
[[nodiscard]] std::string render_report(const Snapshot& snapshot, const TextStyle& style = {});

}  // namespace connleak
