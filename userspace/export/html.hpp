// SPDX-License-Identifier: Apache-2.0
// The report as one HTML page.
#pragma once

#include <string>

#include "report/snapshot.hpp"

namespace connleak {

// Self-contained: inline style, no script, nothing loaded. Follows the reader's dark or light setting and
// prints well. All foreign text is escaped, for control characters first,
// then for HTML.
[[nodiscard]] std::string to_html(const Snapshot& snapshot);

}  // namespace connleak
