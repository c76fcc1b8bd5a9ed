// SPDX-License-Identifier: Apache-2.0
// The name of a stack; base/stack_hash.hpp says what it is made of.
#pragma once

#include <span>
#include <string>

#include "symbols/frame.hpp"

namespace connleak {

// From the frames of a whole stack, as resolve() gave them one address after the other.
[[nodiscard]] std::string stack_id(std::span<const SymbolFrame> frames);

}  // namespace connleak
