// SPDX-License-Identifier: Apache-2.0
// CRuby 3.0 to 3.4. Threads of the main ractor only.
#pragma once

#include <optional>

#include "interpreters/interpreter.hpp"

namespace connleak {

// nullopt: no Ruby in this process. The VM must be there already: while the process starts, why_not says so.
[[nodiscard]] std::optional<FoundInterpreter> find_ruby(std::span<const MappedFile> files, const Memory& memory);

}  // namespace connleak
