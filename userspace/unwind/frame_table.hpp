// SPDX-License-Identifier: Apache-2.0
// .eh_frame (Linux Standard Base, Core, section 10.6): which entry describes an address. Read in place by pread,
// as much as one entry needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "symbols/elf_image.hpp"

namespace connleak {

// What is told of one function's frames: a program that gives a row for each of its instructions.
struct FrameEntry {
  std::uint64_t start = 0;  // link-time
  std::uint64_t size = 0;
  std::uint64_t code_factor = 1;
  std::int64_t data_factor = 1;
  std::uint64_t return_address = 0;  // the column that has it
  bool is_signal_frame = false;
  // Two programs and what lies around them: of the functions that share it, then of this one.
  std::vector<std::byte> bytes;
  std::size_t common_begin = 0, common_end = 0, own_begin = 0;

  [[nodiscard]] std::span<const std::byte> common() const {
    return std::span(bytes).subspan(common_begin, common_end - common_begin);
  }
  [[nodiscard]] std::span<const std::byte> own() const { return std::span(bytes).subspan(own_begin); }
};

class FrameTable {
 public:
  // Borrows the image, which must outlive it. With .eh_frame_hdr (all linkers write one) nothing is read here;
  // without, all of .eh_frame once, and 16 bytes a function are kept, a million of them at most.
  explicit FrameTable(const ElfImage& image);

  // nullopt: none, or one in a form that is not read (64-bit lengths, encodings that no compiler for x86-64 uses).
  [[nodiscard]] std::optional<FrameEntry> find(std::uint64_t address) const;
  [[nodiscard]] std::size_t memory_bytes() const { return index_.capacity() * sizeof index_[0]; }

 private:
  bool read_header(std::uint64_t address);
  void scan(std::uint64_t from, std::uint64_t size);
  [[nodiscard]] std::optional<std::uint64_t> entry_for(std::uint64_t address) const;
  [[nodiscard]] std::optional<FrameEntry> read(std::uint64_t at) const;

  const ElfImage& image_;
  std::uint64_t header_ = 0;  // address of .eh_frame_hdr, which its table is relative to
  std::uint64_t table_ = 0;
  std::uint64_t count_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> index_;  // function, entry: where there is no such table
};

}  // namespace connleak
