// SPDX-License-Identifier: Apache-2.0
// --suppress: findings that are known and wanted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "report/snapshot.hpp"

namespace connleak {

// One pattern a line, shell wildcards (fnmatch), '#' starts a comment. A finding is hidden when a pattern
// matches its culprit's function or module, or its endpoint as "address:port".
class Suppressions {
 public:
  Suppressions() = default;
  [[nodiscard]] static Suppressions parse(std::string_view text);
  [[nodiscard]] bool hides(const Finding& finding, const Endpoint& endpoint) const;
  [[nodiscard]] bool empty() const { return patterns_.empty(); }

 private:
  std::vector<std::string> patterns_;
};

}  // namespace connleak
