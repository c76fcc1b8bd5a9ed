// SPDX-License-Identifier: Apache-2.0
// Where an object keeps a value, told from the function that does nothing but return it.
#pragma once

#include <cstdint>
#include <optional>

#include "sites/code.hpp"
#include "symbols/elf_image.hpp"

namespace connleak {

struct Accessor {
  std::int32_t offset = 0;  // from the object that is the first argument, bytes
  std::uint8_t size = 0;    // of the value, bytes: 4 or 8

  bool operator==(const Accessor&) const = default;
};

// Of a function like libpq's PQsocket: returns one member of its argument, or a constant where that is null;
// System V ABI. nullopt where it does anything else, or where that cannot be told.
[[nodiscard]] std::optional<Accessor> accessor_offset(const ElfImage& image, const FunctionRange& function);

}  // namespace connleak
