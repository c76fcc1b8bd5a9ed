// SPDX-License-Identifier: Apache-2.0
#include "symbols/dwarf_file.hpp"

#include <elfutils/libdw.h>
#include <gelf.h>

#include <cstdint>
#include <string_view>

namespace connleak {

namespace {

// What libdw reads at once, unpacked; nullopt: more than is read.
std::optional<std::size_t> size_of_sections(const ElfImage& image, std::size_t max_bytes) {
  std::size_t names = 0;
  std::uint64_t size = 0;
  if (elf_getshdrstrndx(image.handle(), &names) != 0) return std::nullopt;
  for (Elf_Scn* at = elf_nextscn(image.handle(), nullptr); at != nullptr; at = elf_nextscn(image.handle(), at)) {
    GElf_Shdr header;
    if (gelf_getshdr(at, &header) == nullptr) continue;
    const char* text = elf_strptr(image.handle(), names, header.sh_name);
    const std::string_view name = text != nullptr ? text : "";
    // The old way to pack them, with a size that is not looked at here.
    if (name.starts_with(".zdebug_")) return std::nullopt;
    if (!name.starts_with(".debug_") || header.sh_type == SHT_NOBITS) continue;
    if (header.sh_size > max_bytes - size) return std::nullopt;
    size += header.sh_size;
    if ((header.sh_flags & SHF_COMPRESSED) == 0) continue;
    GElf_Chdr packed;
    if (gelf_getchdr(at, &packed) == nullptr || packed.ch_size > max_bytes - size) return std::nullopt;
    size += packed.ch_size;
  }
  return static_cast<std::size_t>(size);
}

}  // namespace

void DwarfFile::Closer::operator()(::Dwarf* dwarf) const { dwarf_end(dwarf); }

std::optional<DwarfFile> DwarfFile::open(const ElfImage& image, std::size_t max_bytes) {
  const auto info = image.section(".debug_info");
  if (!info || !info->in_file || image.section(".gnu_debugaltlink")) return std::nullopt;
  auto own = ElfImage::open(image.fd());
  const auto size = own ? size_of_sections(*own, max_bytes) : std::nullopt;
  if (!size) return std::nullopt;
  Dwarf* dwarf = dwarf_begin_elf(own->handle(), DWARF_C_READ, nullptr);
  if (dwarf == nullptr) return std::nullopt;
  return DwarfFile(*std::move(own), dwarf, *size);
}

}  // namespace connleak
