// SPDX-License-Identifier: Apache-2.0
// Where a program keeps a variable of a known name.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "symbols/elf_image.hpp"

namespace connleak {

// Link-time address, from .dynsym. nullopt: not there.
[[nodiscard]] std::optional<std::uint64_t> find_exported(const ElfImage& image, std::string_view name);
// From .dynsym, else from .symtab, which may have a million others.
[[nodiscard]] std::optional<std::uint64_t> find_object(const ElfImage& image, std::string_view name);

}  // namespace connleak
