// SPDX-License-Identifier: Apache-2.0
// Who called the culprit, where it looks like a helper that everything goes through.
#pragma once

#include <vector>

#include "detect/verdict.hpp"
#include "model/process.hpp"
#include "report/snapshot.hpp"

namespace connleak {

// The next application frames behind the culprit, with the members that came through each, most first. Empty
// unless the culprit's function heads over half of the group's stacks, at least 3 members are known to come from
// somewhere, and that is 2 different places or more.
[[nodiscard]] std::vector<Caller> callers(const detect::Finding& finding, const model::Group& group);

}  // namespace connleak
