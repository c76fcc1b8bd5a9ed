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

// C++ templates have names of some 10 KiB; above this it is no name.
constexpr std::uint64_t kMaxName = 1 << 16;
// All names of a table that is looked through; node has 7 MB.
constexpr std::uint64_t kMaxNames = std::uint64_t{64} << 20;

std::uint8_t rank_of(unsigned bind) { return bind == STB_GLOBAL ? 2 : bind == STB_WEAK ? 1 : 0; }

struct NamesSection {
  ::Elf* elf;
  std::size_t index;
  std::uint64_t offset;  // in the file
  std::uint64_t size;
};

// Calls visit(symbol, names) for what is defined in a section, until it returns false.
template <class Visit>
void for_each_symbol(const ElfImage& image, std::uint32_t type, Visit&& visit) {
  // libelf keeps what it reads until its handle goes: so one of its own, for as long as this takes.
  const auto own = ElfImage::open(image.fd());
  if (!own) return;
  Elf* elf = own->handle();
  for (Elf_Scn* at = elf_nextscn(elf, nullptr); at != nullptr; at = elf_nextscn(elf, at)) {
    GElf_Shdr header;
    if (gelf_getshdr(at, &header) == nullptr || header.sh_type != type) continue;
    const std::size_t each = gelf_fsize(elf, ELF_T_SYM, 1, EV_CURRENT);
    if (each == 0 || header.sh_entsize != each || header.sh_size / each > kMaxSymbols) continue;
    GElf_Shdr names;
    if (gelf_getshdr(elf_getscn(elf, header.sh_link), &names) == nullptr || names.sh_type != SHT_STRTAB) continue;
    Elf_Data* data = elf_getdata(at, nullptr);
    if (data == nullptr) continue;
    const NamesSection section{elf, header.sh_link, names.sh_offset, names.sh_size};
    for (std::size_t i = 1; i < header.sh_size / each; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      if (symbol.st_shndx == SHN_UNDEF || symbol.st_shndx >= SHN_LORESERVE || symbol.st_name == 0) continue;
      if (!visit(symbol, section)) return;
    }
  }
}

}  // namespace

ElfSymbols::ElfSymbols(const ElfImage& image) {
  read_table(image, SHT_SYMTAB);
  if (symbols_.empty()) read_table(image, SHT_DYNSYM);
  symbols_.shrink_to_fit();
  std::ranges::sort(symbols_, [](const Symbol& a, const Symbol& b) {
    return a.address != b.address ? a.address < b.address : a.rank < b.rank;
  });
}

void ElfSymbols::read_table(const ElfImage& image, std::uint32_t type) {
  for_each_symbol(image, type, [&](const GElf_Sym& symbol, const NamesSection& names) {
    const unsigned kind = GELF_ST_TYPE(symbol.st_info);
    const bool code = kind == STT_FUNC || kind == STT_GNU_IFUNC || (kind == STT_NOTYPE && symbol.st_size > 0);
    if (!code) return true;
    // Files have one table of each type.
    if (symbols_.empty()) names_ = {names.offset, names.size};
    if (names.offset != names_.offset) return false;
    const std::uint64_t size = std::min<std::uint64_t>(symbol.st_size, UINT64_MAX - symbol.st_value);
    symbols_.push_back({symbol.st_value, symbol.st_value + size, symbol.st_name, symbol.st_shndx,
                        rank_of(GELF_ST_BIND(symbol.st_info))});
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
    if (at->name >= names_.size) return std::nullopt;
    auto name = image.string_at_offset(names_.offset + at->name, std::min(kMaxName, names_.size - at->name));
    if (!name || name->empty()) return std::nullopt;
    return name;
  }
  return std::nullopt;
}

std::optional<ElfVariable> find_variable(const ElfImage& image, SymbolTable table, std::string_view name) {
  std::optional<ElfVariable> found;
  const std::uint32_t type = table == SymbolTable::exported ? SHT_DYNSYM : SHT_SYMTAB;
  for_each_symbol(image, type, [&](const GElf_Sym& symbol, const NamesSection& names) {
    if (names.size > kMaxNames) return false;
    if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT) return true;
    const char* text = elf_strptr(names.elf, names.index, symbol.st_name);
    if (text != nullptr && text == name) found = {symbol.st_value, symbol.st_size};
    return !found;
  });
  return found;
}

std::vector<std::optional<ElfVariable>> find_functions(const ElfImage& image, SymbolTable table,
                                                       std::span<const std::string_view> names) {
  std::vector<std::optional<ElfVariable>> found(names.size());
  const std::uint32_t type = table == SymbolTable::exported ? SHT_DYNSYM : SHT_SYMTAB;
  for_each_symbol(image, type, [&](const GElf_Sym& symbol, const NamesSection& section) {
    if (section.size > kMaxNames) return false;
    if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) return true;
    const char* text = elf_strptr(section.elf, section.index, symbol.st_name);
    const auto name = text == nullptr ? names.end() : std::ranges::find(names, std::string_view(text));
    if (name == names.end()) return true;
    auto& place = found[static_cast<std::size_t>(name - names.begin())];
    if (!place || place->size == 0) place = {symbol.st_value, symbol.st_size};
    return true;
  });
  return found;
}

}  // namespace connleak
