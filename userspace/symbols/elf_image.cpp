// SPDX-License-Identifier: Apache-2.0
// ELF headers, sections, notes and the dynamic table.
#include "symbols/elf_image.hpp"

#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace connleak {

namespace {

constexpr std::size_t kMaxSegments = 256;
// libelf takes some 300 bytes for each, and reads all their names at once.
constexpr std::size_t kMaxSections = 1024;
constexpr std::uint64_t kMaxSectionNames = 1 << 16;  // bytes
constexpr std::size_t kMaxDynamic = 4096;            // entries; real files have some 40
constexpr std::uint64_t kMaxNotes = 1 << 16;         // bytes

std::uint64_t align(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

// Counts in the header itself, neither of them moved elsewhere because it is too large for it (0, and PN_XNUM).
bool has_usual_counts(int fd) {
  std::array<unsigned char, sizeof(Elf64_Ehdr)> header{};
  if (::pread(fd, header.data(), header.size(), 0) < static_cast<ssize_t>(sizeof(Elf32_Ehdr))) return false;
  const bool is_64 = header[EI_CLASS] == ELFCLASS64;
  const bool is_big = header[EI_DATA] == ELFDATA2MSB;
  const auto half = [&](std::size_t at) {
    return static_cast<std::size_t>(header[at + (is_big ? 0 : 1)] << 8 | header[at + (is_big ? 1 : 0)]);
  };
  const std::size_t segments = half(is_64 ? offsetof(Elf64_Ehdr, e_phnum) : offsetof(Elf32_Ehdr, e_phnum));
  const std::size_t sections = half(is_64 ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum));
  const auto* table = header.data() + (is_64 ? offsetof(Elf64_Ehdr, e_shoff) : offsetof(Elf32_Ehdr, e_shoff));
  const bool has_table = std::any_of(table, table + (is_64 ? 8 : 4), [](unsigned char byte) { return byte != 0; });
  return segments != PN_XNUM && sections <= kMaxSections && (sections != 0 || !has_table);
}

template <class Read>
std::optional<std::string> string_of(std::size_t limit, const Read& read) {
  std::string text;
  while (text.size() < limit) {
    char buffer[256];
    const auto want = std::min(sizeof buffer, limit - text.size());
    const std::size_t got = read(text.size(), std::as_writable_bytes(std::span(buffer, want)));
    if (got == 0) return std::nullopt;
    const void* end = std::memchr(buffer, 0, got);
    if (end != nullptr) {
      text.append(buffer, static_cast<std::size_t>(static_cast<const char*>(end) - buffer));
      return text;
    }
    text.append(buffer, got);
  }
  return std::nullopt;
}

}  // namespace

void ElfImage::Closer::operator()(::Elf* elf) const { elf_end(elf); }

Result<ElfImage> ElfImage::open(int fd) {
  static const bool libelf_ready = elf_version(EV_CURRENT) != EV_NONE;
  struct stat status{};
  if (!libelf_ready || ::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || status.st_size <= 0) {
    return failure(ErrorKind::failed, "not a readable file");
  }
  if (!has_usual_counts(fd))
    return failure(ErrorKind::failed, "not an ELF file, or with more parts than a program has");
  ElfImage image;
  image.fd_ = fd;
  image.file_size_ = static_cast<std::uint64_t>(status.st_size);
  image.elf_.reset(elf_begin(fd, ELF_C_READ, nullptr));
  GElf_Ehdr header;
  if (!image.elf_ || elf_kind(image.handle()) != ELF_K_ELF || gelf_getehdr(image.handle(), &header) == nullptr ||
      (header.e_type != ET_EXEC && header.e_type != ET_DYN)) {
    return failure(ErrorKind::failed, "not an ELF executable or shared object");
  }
  image.machine_ = header.e_machine;
  image.is_64_little_ = header.e_ident[EI_CLASS] == ELFCLASS64 && header.e_ident[EI_DATA] == ELFDATA2LSB;
  image.read_headers();
  return image;
}

void ElfImage::read_headers() {
  GElf_Ehdr header;
  std::size_t segments = 0;
  std::size_t sections = 0;
  if (gelf_getehdr(handle(), &header) == nullptr) return;
  has_sections_ = elf_getshdrnum(handle(), &sections) == 0 && sections > 0;
  if (elf_getphdrnum(handle(), &segments) != 0) return;

  std::optional<GElf_Phdr> dynamic;
  bool has_interpreter = false;
  for (std::size_t i = 0; i < std::min(segments, kMaxSegments); ++i) {
    GElf_Phdr entry;
    if (gelf_getphdr(handle(), static_cast<int>(i), &entry) == nullptr) break;
    if (entry.p_offset > file_size_) continue;
    if (entry.p_type == PT_LOAD) {
      const std::uint64_t in_file = std::min<std::uint64_t>(entry.p_filesz, file_size_ - entry.p_offset);
      if (entry.p_vaddr + in_file < entry.p_vaddr) continue;
      segments_.push_back({entry.p_vaddr, entry.p_offset, in_file, entry.p_memsz, (entry.p_flags & PF_X) != 0,
                           (entry.p_flags & PF_W) != 0});
    } else if (entry.p_type == PT_DYNAMIC) {
      dynamic = entry;
    } else if (entry.p_type == PT_INTERP) {
      has_interpreter = true;
    } else if (entry.p_type == PT_GNU_EH_FRAME) {
      frame_header_ = entry.p_vaddr;
    } else if (entry.p_type == PT_NOTE) {
      read_notes(entry.p_offset, entry.p_filesz, entry.p_align);
    }
  }
  is_executable_ = header.e_type == ET_EXEC;
  if (dynamic) read_dynamic(dynamic->p_offset, dynamic->p_filesz, has_interpreter, is_executable_);
  if (build_id_.empty()) {
    // Files that hold only symbols keep the note in its section; the segment may lie nowhere.
    if (const auto note = section(".note.gnu.build-id"); note && note->in_file) {
      read_notes(note->offset, note->size, 4);
    }
  }
}

void ElfImage::read_dynamic(std::uint64_t offset, std::uint64_t size, bool has_interpreter, bool is_fixed) {
  if (!is_64_little_) {
    is_executable_ = is_fixed || has_interpreter;
    return;
  }
  std::vector<Elf64_Dyn> entries(std::min<std::size_t>(size / sizeof(Elf64_Dyn), kMaxDynamic));
  const std::size_t got = read_at_offset(offset, std::as_writable_bytes(std::span(entries)));
  entries.resize(got / sizeof(Elf64_Dyn));
  std::optional<std::uint64_t> strings;
  std::optional<std::uint64_t> name;
  std::uint64_t relocation_bytes = 0;
  std::uint64_t flags = 0;
  for (const Elf64_Dyn& entry : entries) {
    if (entry.d_tag == DT_NULL) break;
    if (entry.d_tag == DT_STRTAB) strings = entry.d_un.d_ptr;
    if (entry.d_tag == DT_SONAME) name = entry.d_un.d_val;
    if (entry.d_tag == DT_RELA) relocations_ = entry.d_un.d_ptr;
    if (entry.d_tag == DT_RELASZ) relocation_bytes = entry.d_un.d_val;
    if (entry.d_tag == DT_FLAGS_1) flags = entry.d_un.d_val;
  }
  if (strings && name) soname_ = read_string(*strings + *name, 255);
  if (soname_ && soname_->empty()) soname_.reset();
  relocation_count_ = std::min<std::uint64_t>(relocation_bytes, file_size_) / sizeof(Relocation);
  // libc has an interpreter too, so that it can be run, and a static executable has none.
  is_executable_ = is_fixed || (flags & DF_1_PIE) != 0 || (has_interpreter && !soname_);
}

void ElfImage::read_notes(std::uint64_t offset, std::uint64_t size, std::uint64_t alignment) {
  std::vector<std::byte> bytes(std::min({size, kMaxNotes, file_size_}));
  bytes.resize(read_at_offset(offset, bytes));
  if (alignment != 8) alignment = 4;
  for (std::uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= bytes.size();) {
    Elf64_Nhdr note;
    std::memcpy(&note, bytes.data() + at, sizeof note);
    const std::uint64_t text = at + sizeof note;
    const std::uint64_t content = align(text + note.n_namesz, alignment);
    const std::uint64_t end = content + note.n_descsz;
    if (end > bytes.size()) return;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && std::memcmp(bytes.data() + text, "GNU", 4) == 0 &&
        note.n_descsz > 1 && note.n_descsz <= 64) {
      build_id_.assign(reinterpret_cast<const char*>(bytes.data() + content), note.n_descsz);
      return;
    }
    at = align(end, alignment);
  }
}

std::optional<ElfImage::Section> ElfImage::section(const char* name) const {
  std::size_t names = 0;
  GElf_Shdr of_names;
  if (!has_sections_ || elf_getshdrstrndx(handle(), &names) != 0 ||
      gelf_getshdr(elf_getscn(handle(), names), &of_names) == nullptr || of_names.sh_size > kMaxSectionNames)
    return std::nullopt;
  for (Elf_Scn* at = elf_nextscn(handle(), nullptr); at != nullptr; at = elf_nextscn(handle(), at)) {
    GElf_Shdr header;
    if (gelf_getshdr(at, &header) == nullptr) continue;
    const char* text = elf_strptr(handle(), names, header.sh_name);
    if (text == nullptr || std::strcmp(text, name) != 0) continue;
    const bool in_file = header.sh_type != SHT_NOBITS;
    if (in_file && (header.sh_offset > file_size_ || header.sh_size > file_size_ - header.sh_offset)) {
      return std::nullopt;
    }
    return Section{header.sh_addr, header.sh_offset, header.sh_size, in_file};
  }
  return std::nullopt;
}

std::optional<ElfImage::DebugLink> ElfImage::debug_link() const {
  const auto link = section(".gnu_debuglink");
  if (!link || !link->in_file || link->size < 8 || link->size > 4096) return std::nullopt;
  std::string bytes(link->size, '\0');
  if (read_at_offset(link->offset, std::as_writable_bytes(std::span(bytes))) != bytes.size()) return std::nullopt;
  DebugLink result;
  result.name = bytes.substr(0, bytes.find('\0'));
  std::memcpy(&result.crc, bytes.data() + bytes.size() - 4, 4);
  if (result.name.empty() || result.name == "." || result.name == ".." ||
      result.name.find('/') != std::string::npos || result.name.size() + 5 > bytes.size()) {
    return std::nullopt;
  }
  return result;
}

const ElfImage::Segment* ElfImage::segment_of(std::uint64_t address) const {
  const auto found = std::ranges::find_if(segments_, [&](const Segment& segment) {
    return address >= segment.address && address - segment.address < segment.file_size;
  });
  return found == segments_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> ElfImage::address_of_offset(std::uint64_t offset) const {
  for (const Segment& segment : segments_) {
    if (segment.executable && offset >= segment.offset && offset - segment.offset < segment.file_size) {
      return offset - segment.offset + segment.address;
    }
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ElfImage::offset_of_address(std::uint64_t address) const {
  const Segment* segment = segment_of(address);
  if (segment == nullptr) return std::nullopt;
  return address - segment->address + segment->offset;
}

bool ElfImage::is_code(std::uint64_t address) const {
  const Segment* segment = segment_of(address);
  return segment != nullptr && segment->executable;
}

std::size_t ElfImage::read_at_offset(std::uint64_t offset, std::span<std::byte> out) const {
  std::size_t done = 0;
  while (done < out.size() && offset + done < file_size_) {
    const ssize_t got = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

std::size_t ElfImage::read(std::uint64_t address, std::span<std::byte> out) const {
  const Segment* segment = segment_of(address);
  if (segment == nullptr) return 0;
  const std::uint64_t inside = address - segment->address;
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), segment->file_size - inside));
  return read_at_offset(segment->offset + inside, out.first(size));
}

std::optional<std::string> ElfImage::string_at_offset(std::uint64_t offset, std::size_t limit) const {
  return string_of(limit,
                   [&](std::uint64_t at, std::span<std::byte> out) { return read_at_offset(offset + at, out); });
}

std::optional<std::string> ElfImage::read_string(std::uint64_t address, std::size_t limit) const {
  return string_of(limit, [&](std::uint64_t at, std::span<std::byte> out) { return read(address + at, out); });
}

bool ElfImage::is_relative(std::uint64_t info) const {
  const auto type = static_cast<std::uint32_t>(info);
  return (machine_ == EM_X86_64 && type == R_X86_64_RELATIVE) ||
         (machine_ == EM_AARCH64 && type == R_AARCH64_RELATIVE);
}

}  // namespace connleak
