// SPDX-License-Identifier: Apache-2.0
// CPython 3.9 to 3.15.
#pragma once

#include <optional>
#include <span>

#include "interpreters/interpreter.hpp"

namespace connleak {

// nullopt: nothing of Python is mapped.
[[nodiscard]] std::optional<FoundInterpreter> find_python(std::span<const MappedFile> files, const Memory& memory);

}  // namespace connleak
