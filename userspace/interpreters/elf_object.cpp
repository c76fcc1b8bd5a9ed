// SPDX-License-Identifier: Apache-2.0
#include "interpreters/elf_object.hpp"

#include <gelf.h>
#include <libelf.h>

#include <algorithm>

namespace connleak {

namespace {

// Chromium has about one million; a table that says more is not read.
constexpr std::size_t kMaxSymbols = 4'000'000;

std::optional<std::uint64_t> find_in(const ElfImage& image, std::uint32_t type, std::string_view name) {
  Elf* elf = image.handle();
  for (Elf_Scn* at = elf_nextscn(elf, nullptr); at != nullptr; at = elf_nextscn(elf, at)) {
    GElf_Shdr header;
    if (gelf_getshdr(at, &header) == nullptr || header.sh_type != type || header.sh_entsize == 0) continue;
    const std::size_t count = header.sh_size / header.sh_entsize;
    if (count > kMaxSymbols) continue;
    Elf_Data* data = elf_getdata(at, nullptr);
    for (std::size_t i = 1; data != nullptr && i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      if (GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF) continue;
      const char* text = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (text != nullptr && text == name) return symbol.st_value;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> find_exported(const ElfImage& image, std::string_view name) {
  return find_in(image, SHT_DYNSYM, name);
}

std::optional<std::uint64_t> find_object(const ElfImage& image, std::string_view name) {
  const auto exported = find_exported(image, name);
  return exported ? exported : find_in(image, SHT_SYMTAB, name);
}

}  // namespace connleak
