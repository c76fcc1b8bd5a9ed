// SPDX-License-Identifier: Apache-2.0
// What the file of an interpreter says of it: where its variables are, and its version.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "interpreters/interpreter.hpp"
#include "symbols/elf_symbols.hpp"

namespace connleak {

// Its address in the process. From .dynsym alone, which of an executable is short.
[[nodiscard]] std::optional<ElfVariable> find_exported_variable(const MappedFile& file, std::string_view name);

// Its address in the process. From .dynsym, else .symtab, else the .symtab of the separate debug file. Reads whole
// tables: ask only files whose name says that they are worth it.
[[nodiscard]] std::optional<ElfVariable> find_variable(const MappedFile& file, std::string_view name);

// Without directory; a view of the file's path.
[[nodiscard]] std::string_view file_name(const MappedFile& file);

// Whether the file is of a kind that can be read.
[[nodiscard]] bool is_readable(const MappedFile& file);

// What follows `prefix` in the file's constants, up to a byte that is neither digit nor dot.
[[nodiscard]] std::optional<std::string> version_in_constants(const ElfImage& image, std::string_view prefix);

// "8.2" of "8.2.36"; a view of it.
[[nodiscard]] std::string_view minor_version(std::string_view version);

}  // namespace connleak
