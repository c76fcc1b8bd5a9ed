// SPDX-License-Identifier: Apache-2.0
// PHP 7.4 to 8.4, built without threads (NTS): the command line, FPM, and Apache's module.
#pragma once

#include <optional>

#include "interpreters/interpreter.hpp"

namespace connleak {

// nullopt: no PHP in this process.
[[nodiscard]] std::optional<FoundInterpreter> find_php(std::span<const MappedFile> files, const Memory& memory);

}  // namespace connleak
