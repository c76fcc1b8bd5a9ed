// SPDX-License-Identifier: Apache-2.0
// What the frames of all script languages have in common.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "interpreters/interpreter.hpp"

namespace connleak {

// Longest text taken from a process: PATH_MAX. What claims to be longer is no name.
inline constexpr std::uint64_t kMaxScriptText = 4096;

[[nodiscard]] std::optional<std::string> read_script_text(const Memory& memory, std::uint64_t address,
                                                          std::uint64_t length);

}  // namespace connleak
