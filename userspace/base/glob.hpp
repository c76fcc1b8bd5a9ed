// SPDX-License-Identifier: Apache-2.0
// Patterns of names.
#pragma once

#include <string_view>

namespace connleak {

// '*' stands for any text, empty or not; everything else for itself: '[', '?' and parentheses are parts of
// function names. The whole text has to fit. Takes at most size(pattern) x size(text) steps.
[[nodiscard]] bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace connleak
