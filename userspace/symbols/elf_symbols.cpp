// SPDX-License-Identifier: Apache-2.0
// ELF symbol tables.
#include "symbols/elf_symbols.hpp"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>

namespace connleak {

namespace {

// Chromium has about one million; a table that says more is not read.
constexpr std::size_t kMaxSymbols = 4'000'000;
// Nested and overlapping symbols are rare and near; looking further back only costs time.
constexpr int kMaxLookBack = 16;

std::uint8_t rank_of(unsigned bind) { return bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0; }

// Calls visit(symbol, section of the names) for what is defined in a section, until it returns false.
template <class Visit>
void for_each_symbol(const ElfImage& image, std::uint32_t type, Visit&& visit) {
  Elf* elf = image.handle();
  for (Elf_Scn* at = elf_nextscn(elf, nullptr); at != nullptr; at = elf_nextscn(elf, at)) {
    GElf_Shdr header;
    if (gelf_getshdr(at, &header) == nullptr || header.sh_type != type || header.sh_entsize == 0) continue;
    const std::size_t count = header.sh_size / header.sh_entsize;
    Elf_Data* data = count > kMaxSymbols ? nullptr : elf_getdata(at, nullptr);
    if (data == nullptr) continue;
    for (std::size_t i = 1; i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE || symbol.st_name == 0) continue;
      if (!visit(symbol, header.sh_link)) return;
    }
  }
}

}  // namespace

ElfSymbols::ElfSymbols(const ElfImage& image) {
  read_table(image, SHT_SYMTAB);
  if (symbols_.empty()) read_table(image, SHT_DYNSYM);
  std::ranges::sort(symbols_, [](const Symbol& a, const Symbol& b) {
    return a.address != b.address ? a.address < b.address : a.rank < b.rank;
  });
}

void ElfSymbols::read_table(const ElfImage& image, std::uint32_t type) {
  const bool dynamic = type == SHT_DYNSYM;
  for_each_symbol(image, type, [&](const GElf_Sym& symbol, std::size_t strings) {
    const unsigned kind = GELF_ST_TYPE(symbol.st_info);
    const bool code = kind == STT_FUNC || kind == STT_GNU_IFUNC || (kind == STT_NOTYPE && symbol.st_size > 0);
    if (!code) return true;
    strings_[dynamic ? 1 : 0] = strings;
    const std::uint64_t size = std::min<std::uint64_t>(symbol.st_size, UINT64_MAX - symbol.st_value);
    symbols_.push_back({symbol.st_value, symbol.st_value + size, symbol.st_name, symbol.st_shndx,
                        rank_of(GELF_ST_BIND(symbol.st_info)), dynamic});
    return true;
  });
}

std::optional<std::string> ElfSymbols::find(const ElfImage& image, std::uint64_t address) const {
  auto at = std::ranges::upper_bound(symbols_, address, {}, &Symbol::address);
  const auto next = at;
  for (int steps = 0; at != symbols_.begin() && steps < kMaxLookBack; ++steps) {
    --at;
    const bool sized = at->end != at->address;
    if (sized && address >= at->end) continue;
    if (!sized) {
      // Hand-written assembly. Anything between two sections, or behind the last symbol, is nobody's.
      if (next == symbols_.end() || next->section != at->section || steps > 0) continue;
    }
    const char* name = elf_strptr(image.handle(), strings_[at->dynamic ? 1 : 0], at->name);
    if (name == nullptr || *name == '\0') return std::nullopt;
    return std::string(name);
  }
  return std::nullopt;
}

std::optional<ElfVariable> find_variable(const ElfImage& image, SymbolTable table, std::string_view name) {
  std::optional<ElfVariable> found;
  const std::uint32_t type = table == SymbolTable::exported ? SHT_DYNSYM : SHT_SYMTAB;
  for_each_symbol(image, type, [&](const GElf_Sym& symbol, std::size_t strings) {
    if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT) return true;
    const char* text = elf_strptr(image.handle(), strings, symbol.st_name);
    if (text != nullptr && text == name) found = {symbol.st_value, symbol.st_size};
    return !found;
  });
  return found;
}

}  // namespace connleak
