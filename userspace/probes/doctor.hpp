// SPDX-License-Identifier: Apache-2.0
// What this kernel and these privileges allow.
#pragma once

#include <string>
#include <vector>

namespace connleak {

struct Check {
  std::string name;
  bool ok = false;
  bool required = false;    // without it connleak cannot observe: exit status 3
  std::string consequence;  // what was chosen, or what is missing without it; one sentence
};

// Tries each thing for a moment and leaves nothing behind. Needs no privileges to be called.
[[nodiscard]] std::vector<Check> doctor();

}  // namespace connleak
