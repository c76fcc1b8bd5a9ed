// SPDX-License-Identifier: Apache-2.0
#include "interpreters/elf_variable.hpp"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <vector>

namespace connleak {

namespace {

// node, with all of V8, has half a million.
constexpr std::size_t kMaxSymbols = 1'000'000;
// Of the constants; PHP has half a megabyte, with every extension built in some ten.
constexpr std::size_t kMaxConstants = std::size_t{32} << 20;

std::optional<ElfVariable> variable_in(const ElfImage& image, std::uint32_t type, std::string_view name) {
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
      const bool here = GELF_ST_TYPE(symbol.st_info) == STT_OBJECT && symbol.st_shndx != SHN_UNDEF &&
                        symbol.st_shndx < SHN_LORESERVE;
      const char* text = here ? elf_strptr(elf, header.sh_link, symbol.st_name) : nullptr;
      if (text != nullptr && text == name) return ElfVariable{symbol.st_value, symbol.st_size};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<ElfVariable> elf_variable(const MappedFile& file, std::string_view name) {
  if (file.image == nullptr) return std::nullopt;
  auto found = variable_in(*file.image, SHT_DYNSYM, name);
  if (!found) found = variable_in(*file.image, SHT_SYMTAB, name);
  if (!found && file.debug != nullptr) found = variable_in(*file.debug, SHT_SYMTAB, name);
  if (found) found->address += file.bias;
  return found;
}

bool may_hold_interpreter(const MappedFile& file, std::string_view word) {
  if (file.image == nullptr || !file.image->is_64_bit_little_endian()) return false;
  const auto slash = file.path.rfind('/');
  const std::string_view path = file.path;
  return path.substr(slash == std::string::npos ? 0 : slash + 1).find(word) != std::string_view::npos;
}

std::optional<std::string> version_in_constants(const ElfImage& image, std::string_view prefix) {
  const auto section = image.section(".rodata");
  if (!section || !section->in_file) return std::nullopt;
  constexpr std::size_t kPart = std::size_t{1} << 20;
  // Parts overlap by more than the longest version, so that none is cut in two.
  constexpr std::size_t kOverlap = 256;
  const std::uint64_t size = std::min<std::uint64_t>(section->size, kMaxConstants);
  std::string part;
  for (std::uint64_t done = 0; done < size; done += kPart - kOverlap) {
    part.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kPart, size - done)));
    const auto got = image.read_at_offset(section->offset + done, std::as_writable_bytes(std::span(part)));
    const std::string_view text(part.data(), got);
    const auto at = text.find(prefix);
    if (at != std::string_view::npos) {
      const std::string_view rest = text.substr(at + prefix.size(), 16);
      return std::string(rest.substr(0, rest.find_first_not_of("0123456789.")));
    }
    if (got != part.size()) break;
  }
  return std::nullopt;
}

}  // namespace connleak
