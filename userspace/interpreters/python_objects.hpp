// SPDX-License-Identifier: Apache-2.0
// Reading Python's objects out of a living process. Every read is bounded, every object's type is looked at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "interpreters/interpreter.hpp"
#include "interpreters/python_layout.hpp"

namespace connleak {

struct PythonCode {
  std::uint64_t stamp = 0;  // hash of what stays the same while it is the same code
  std::uint64_t name = 0;   // addresses of objects
  std::uint64_t file = 0;
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;   // address of the bytecode (of 3.9 and 3.10: of the object that has it)
  std::uint64_t copies = 0;  // address of the array of its copies; 0: none
  std::uint64_t units = 0;   // size of the bytecode in code units; 0 of 3.9 and 3.10
  std::int32_t first_line = 0;
  std::int32_t first_trace = 0;
};

class PythonObjects {
 public:
  explicit PythonObjects(const PythonLayout& layout) : layout_(layout) {}

  [[nodiscard]] std::optional<PythonCode> code(const Memory& memory, std::uint64_t address);
  [[nodiscard]] bool is_none(const Memory& memory, std::uint64_t address);
  // As UTF-8. nullopt also for empty ones, and for those with more than `limit` characters.
  [[nodiscard]] std::optional<std::string> text(const Memory& memory, std::uint64_t address, std::uint64_t limit);
  [[nodiscard]] std::optional<std::uint64_t> bytes_size(const Memory& memory, std::uint64_t address);
  // Empty: more than `limit`.
  [[nodiscard]] std::optional<std::vector<std::byte>> bytes(const Memory& memory, std::uint64_t address,
                                                            std::uint64_t limit);

 private:
  // A type whose name was read once; Python's own types never move.
  struct Type {
    std::string_view name;
    std::uint64_t address = 0;
  };
  [[nodiscard]] bool is(const Memory& memory, std::uint64_t type, Type& known) const;

  PythonLayout layout_;
  Type code_{"code"};
  Type none_{"NoneType"};
  Type text_{"str"};
  Type bytes_{"bytes"};
};

}  // namespace connleak
