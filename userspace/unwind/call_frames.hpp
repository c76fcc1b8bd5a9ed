// SPDX-License-Identifier: Apache-2.0
// The call frame information of one file: .eh_frame, which every program and library for Linux carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "symbols/elf_image.hpp"
#include "unwind/frame_rules.hpp"
#include "unwind/frame_table.hpp"

namespace connleak {

class CallFrames {
 public:
  // Borrows the image, which must outlive it. A file without the information has no rows.
  explicit CallFrames(const ElfImage& image) : table_(image) {}

  // The row that holds at a link-time address; nullptr: none does. Kept, up to a limit: valid until the next call.
  [[nodiscard]] const FrameRow* row(std::uint64_t address);

  // Of the rows and of what stands in for a missing .eh_frame_hdr.
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_ + table_.memory_bytes(); }

 private:
  FrameTable table_;
  std::unordered_map<std::uint64_t, std::unique_ptr<FrameRow>> rows_;  // null: none
  std::size_t bytes_ = 0;
};

}  // namespace connleak
