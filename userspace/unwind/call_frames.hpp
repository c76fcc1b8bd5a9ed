// SPDX-License-Identifier: Apache-2.0
// The call frame information of one file: .eh_frame, which every program and library for Linux carries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>

#include "symbols/elf_image.hpp"
#include "unwind/frame_rules.hpp"

struct Dwarf_CFI_s;

namespace connleak {

class CallFrames {
 public:
  // Borrows the image, which must outlive it. A file without the information, or with too much of it, has no rows.
  explicit CallFrames(const ElfImage& image);
  ~CallFrames();
  CallFrames(const CallFrames&) = delete;
  CallFrames& operator=(const CallFrames&) = delete;

  // The row that holds at a link-time address; nullptr: none does. Kept, up to a limit: valid until the next call.
  [[nodiscard]] const FrameRow* row(std::uint64_t address);

 private:
  Dwarf_CFI_s* table_ = nullptr;
  std::unordered_map<std::uint64_t, std::unique_ptr<FrameRow>> rows_;  // null: none
};

}  // namespace connleak
