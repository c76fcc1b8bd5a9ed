// SPDX-License-Identifier: Apache-2.0
// Text of scripts: what they are called, and where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "interpreters/interpreter.hpp"

namespace connleak {

// Characters of the longest text taken from a process: PATH_MAX. What claims to be longer is no name.
inline constexpr std::uint64_t kMaxScriptText = 4096;

// nullopt also for an empty one.
[[nodiscard]] std::optional<std::string> read_script_text(const Memory& memory, std::uint64_t address,
                                                          std::uint64_t length);

// Lone surrogates, which Python makes of bytes that are no UTF-8, become U+FFFD. False, and nothing appended:
// above U+10FFFF.
[[nodiscard]] bool append_utf8(std::string& text, std::uint32_t code_point);

}  // namespace connleak
