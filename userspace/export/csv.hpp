// SPDX-License-Identifier: Apache-2.0
// Findings as comma-separated values.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace connleak {

// A header line, always, then one line for each finding; lines end in "\n". Quoting as in RFC 4180; a field
// that a spreadsheet would take for a formula starts with an apostrophe. Unknown is an empty field. Foreign
// text is escaped, so that a row is always one line.
[[nodiscard]] std::string to_csv(const Snapshot& snapshot);

}  // namespace connleak
