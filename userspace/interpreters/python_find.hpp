// SPDX-License-Identifier: Apache-2.0
// Where a process keeps Python's state, and which version it is.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "interpreters/interpreter.hpp"
#include "interpreters/python_layout.hpp"

namespace connleak {

struct FoundPython {
  std::string version;            // "Python 3.11.2"; "Python 3.9" where only the file's name tells
  std::uint64_t interpreter = 0;  // address of the main PyInterpreterState; 0: not understood
  PythonLayout layout;
  std::string why_not;
  bool not_yet = false;
};

// nullopt: nothing of Python is mapped. What is found has been tried: its first thread leads back to it.
[[nodiscard]] std::optional<FoundPython> locate_python(std::span<const MappedFile> files, const Memory& memory);

}  // namespace connleak
