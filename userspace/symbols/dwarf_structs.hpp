// SPDX-License-Identifier: Apache-2.0
// Where the fields of a Go program's structures are, by its DWARF.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/elf_image.hpp"

namespace connleak {

struct DwarfStruct {
  struct Field {
    std::string name;
    std::uint64_t offset = 0;
  };
  std::string name;  // "database/sql.DB"; "PATH.Pool[TYPE]" of an instance of a generic one
  std::uint64_t size = 0;
  std::vector<Field> fields;

  [[nodiscard]] std::optional<std::uint64_t> offset(std::string_view field) const;
};

// Those of these names that the file describes, each once. Go's linker puts all types into the unit `runtime`;
// only that is looked at. Reads all debug sections into memory, unpacked, for as long as it takes, and none where
// they are more than 256 MiB.
[[nodiscard]] std::vector<DwarfStruct> find_go_structs(const ElfImage& image,
                                                       std::span<const std::string_view> names);

}  // namespace connleak
