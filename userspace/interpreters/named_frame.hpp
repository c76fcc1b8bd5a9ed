// SPDX-License-Identifier: Apache-2.0
// What the frames of all scripts have in common.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "symbols/frame.hpp"

namespace connleak {

// Sets module to the file's name without directory, offset to FNV-1a-64 over file, NUL and function.
[[nodiscard]] SymbolFrame named_frame(Language language, std::optional<std::string> function,
                                      std::optional<std::string> file, std::optional<std::uint32_t> line);

// Lone surrogates, which Python makes of bytes that are no UTF-8, become U+FFFD. False, and nothing appended:
// above U+10FFFF.
[[nodiscard]] bool append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace connleak
