// SPDX-License-Identifier: Apache-2.0
// The name of a stack: equal for equal stacks of one build, on every run and every host.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "symbols/frame.hpp"

namespace connleak {

struct StackLocation {
  std::string_view module;
  std::uint64_t offset = 0;  // as SymbolFrame::offset
};

// FNV-1a, 64 bits, over module, NUL and the offset's 8 bytes (little-endian) of each location, innermost first; 16
// hexadecimal digits. One location per address: inlined frames share theirs and add none.
[[nodiscard]] std::string stack_id(std::span<const StackLocation> locations);

// The same id from the frames of a whole stack, as resolve() gave them one address after the other.
[[nodiscard]] std::string stack_id(std::span<const SymbolFrame> frames);

}  // namespace connleak
