// SPDX-License-Identifier: Apache-2.0
// Functions by address and variables by name, from .symtab or .dynsym.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/elf_image.hpp"

namespace connleak {

class ElfSymbols {
 public:
  // Reads the whole table (24 bytes a symbol) and sorts it; the names stay in the file. Missing or broken tables
  // give an empty one.
  explicit ElfSymbols(const ElfImage& image);

  // The linker name of the function that covers the address. A symbol without a size covers what lies between it
  // and the next symbol of its section. `image`: that of the constructor.
  [[nodiscard]] std::optional<std::string> find(const ElfImage& image, std::uint64_t address) const;
  [[nodiscard]] bool empty() const { return symbols_.empty(); }
  [[nodiscard]] std::size_t memory_bytes() const { return symbols_.capacity() * sizeof(Symbol); }

 private:
  struct Symbol {
    std::uint64_t address;
    std::uint64_t end;  // equal to address: no size given
    std::uint32_t name;
    std::uint16_t section;
    std::uint8_t rank;  // of several at one address: global before weak before local
  };
  struct Names {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t size = 0;
  };
  void read_table(const ElfImage& image, std::uint32_t type);

  std::vector<Symbol> symbols_;
  Names names_;
};

struct ElfVariable {
  std::uint64_t address = 0;  // link-time
  std::uint64_t size = 0;     // 0: the table does not say
};

enum class SymbolTable { exported, all };  // .dynsym, .symtab

// Compares name after name of the table.
[[nodiscard]] std::optional<ElfVariable> find_variable(const ElfImage& image, SymbolTable table,
                                                       std::string_view name);

// Functions by name, in the order of `names`; nullopt: there is none. One pass over the table. A name with several
// symbols has the place of the one that says its size.
[[nodiscard]] std::vector<std::optional<ElfVariable>> find_functions(const ElfImage& image, SymbolTable table,
                                                                     std::span<const std::string_view> names);

}  // namespace connleak
