// SPDX-License-Identifier: Apache-2.0
// A bounded look at an ELF file that somebody else may have written, and may be writing now.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

struct Elf;

namespace connleak {

// Read only with pread (libelf's ELF_C_READ), never mapped: a file that shrinks gives a short read instead of
// SIGBUS. Offsets and sizes are checked against the file's size at open. Borrows the descriptor, which must
// outlive it.
class ElfImage {
 public:
  struct Segment {
    std::uint64_t address = 0;  // link-time
    std::uint64_t offset = 0;   // in the file
    std::uint64_t file_size = 0;
    std::uint64_t memory_size = 0;  // zeros follow on what is in the file; as the file says, unchecked
    bool executable = false;
    bool writable = false;
  };
  struct Section {
    std::uint64_t address = 0;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    bool in_file = true;  // false: NOBITS, as in files that hold only symbols
  };
  struct DebugLink {
    std::string name;  // no directory in it
    std::uint32_t crc = 0;
  };

  // Fails for what is no ELF executable, shared object or debug file.
  [[nodiscard]] static Result<ElfImage> open(int fd);

  [[nodiscard]] ::Elf* handle() const { return elf_.get(); }
  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::uint64_t file_size() const { return file_size_; }
  [[nodiscard]] bool is_64_bit_little_endian() const { return is_64_little_; }
  [[nodiscard]] std::uint16_t machine() const { return machine_; }
  [[nodiscard]] bool is_executable() const { return is_executable_; }            // not a shared library
  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }  // PT_LOAD only
  [[nodiscard]] bool has_sections() const { return has_sections_; }
  [[nodiscard]] std::optional<std::uint64_t> frame_header() const { return frame_header_; }  // of .eh_frame_hdr
  [[nodiscard]] std::optional<Section> section(const char* name) const;
  [[nodiscard]] const std::optional<std::string>& soname() const { return soname_; }
  [[nodiscard]] const std::string& build_id() const { return build_id_; }  // raw bytes; empty: none
  [[nodiscard]] std::optional<DebugLink> debug_link() const;

  [[nodiscard]] std::optional<std::uint64_t> address_of_offset(std::uint64_t offset) const;  // executable segments
  [[nodiscard]] std::optional<std::uint64_t> offset_of_address(std::uint64_t address) const;
  [[nodiscard]] bool is_code(std::uint64_t address) const;

  // As many bytes as the file has there, up to out.size().
  [[nodiscard]] std::size_t read_at_offset(std::uint64_t offset, std::span<std::byte> out) const;
  // A NUL-terminated string of at most `limit` bytes; nullopt when it has no end within them.
  [[nodiscard]] std::optional<std::string> string_at_offset(std::uint64_t offset, std::size_t limit) const;
  // Never beyond the segment that holds the address.
  [[nodiscard]] std::size_t read(std::uint64_t address, std::span<std::byte> out) const;
  template <class T>
  [[nodiscard]] std::optional<T> read_value(std::uint64_t address) const {
    T value{};
    if (read(address, std::as_writable_bytes(std::span<T>(&value, 1))) != sizeof value) return std::nullopt;
    return value;
  }
  [[nodiscard]] std::optional<std::string> read_string(std::uint64_t address, std::size_t limit = 4096) const;

  // R_*_RELATIVE relocations: calls visit(address, value) for each until it returns false. Where
  // position-independent files keep the values of their pointers.
  template <class Visit>
  void for_each_relative_relocation(Visit&& visit) const {
    constexpr std::size_t kChunk = 4096;
    std::vector<Relocation> chunk(kChunk);
    for (std::uint64_t done = 0; done < relocation_count_; done += kChunk) {
      const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(kChunk, relocation_count_ - done));
      const std::span<Relocation> part(chunk.data(), count);
      const std::size_t got = read(relocations_ + done * sizeof(Relocation), std::as_writable_bytes(part));
      for (const Relocation& entry : part.first(got / sizeof(Relocation))) {
        if (is_relative(entry.info) && !visit(entry.address, entry.addend)) return;
      }
      if (got != part.size_bytes()) return;
    }
  }

 private:
  struct Relocation {
    std::uint64_t address;
    std::uint64_t info;
    std::uint64_t addend;
  };
  struct Closer {
    void operator()(::Elf* elf) const;
  };

  ElfImage() = default;
  [[nodiscard]] const Segment* segment_of(std::uint64_t address) const;
  [[nodiscard]] bool is_relative(std::uint64_t info) const;
  void read_headers();
  void read_dynamic(std::uint64_t offset, std::uint64_t size, bool has_interpreter, bool is_fixed);
  void read_notes(std::uint64_t offset, std::uint64_t size, std::uint64_t alignment);

  std::unique_ptr<::Elf, Closer> elf_;
  int fd_ = -1;
  std::uint64_t file_size_ = 0;
  std::vector<Segment> segments_;
  std::optional<std::string> soname_;
  std::string build_id_;
  std::optional<std::uint64_t> frame_header_;
  std::uint64_t relocations_ = 0;  // address of DT_RELA
  std::uint64_t relocation_count_ = 0;
  std::uint16_t machine_ = 0;
  bool is_64_little_ = false;
  bool is_executable_ = false;
  bool has_sections_ = false;
};

}  // namespace connleak
