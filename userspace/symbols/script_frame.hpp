// SPDX-License-Identifier: Apache-2.0
// A frame of code that no ELF file holds: a script's, or a JIT compiler's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "symbols/frame.hpp"

namespace connleak {

// Sets module (the file's name without directory; "[java]" and the like without a file) and offset (FNV-1a-64 of
// file, NUL, function: the same in every run) too.
[[nodiscard]] SymbolFrame script_frame_of(Language language, std::optional<std::string> function,
                                          std::optional<std::string> file, std::optional<std::uint32_t> line);

}  // namespace connleak
