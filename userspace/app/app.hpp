// SPDX-License-Identifier: Apache-2.0
// Parse, dispatch, print the one error.
#pragma once

#include <span>

namespace connleak {

// The exit status of the program.
[[nodiscard]] int run_app(std::span<const char* const> argv);

}  // namespace connleak
