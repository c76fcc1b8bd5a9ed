// SPDX-License-Identifier: Apache-2.0
// Where an interpreter keeps its state: the variables of its file, by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "interpreters/interpreter.hpp"

namespace connleak {

struct ElfVariable {
  std::uint64_t address = 0;  // in the process
  std::uint64_t size = 0;     // 0: the table does not say
};

// From .dynsym, else .symtab, else the .symtab of the separate debug file. Reads whole tables: ask only files
// whose name says that they are worth it.
[[nodiscard]] std::optional<ElfVariable> elf_variable(const MappedFile& file, std::string_view name);

// Whether the file's name, without directory, has the word in it, and it is of a kind that can be read.
[[nodiscard]] bool may_hold_interpreter(const MappedFile& file, std::string_view word);

// What follows `prefix` in the file's constants, up to a byte that is neither digit nor dot.
[[nodiscard]] std::optional<std::string> version_in_constants(const ElfImage& image, std::string_view prefix);

}  // namespace connleak
