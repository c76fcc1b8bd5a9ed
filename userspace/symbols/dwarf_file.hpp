// SPDX-License-Identifier: Apache-2.0
// The debug information of a file, as libdw opens it, with bounds.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <utility>

#include "symbols/elf_image.hpp"

struct Dwarf;

namespace connleak {

class DwarfFile {
 public:
  // nullopt: no debug information, or none that is read: more than `max_bytes` of it, or such that libdw would
  // open further files by names that the file gives (.gnu_debugaltlink). Reads the debug sections into memory,
  // unpacked. The image's descriptor must outlive it.
  [[nodiscard]] static std::optional<DwarfFile> open(const ElfImage& image, std::size_t max_bytes);

  [[nodiscard]] ::Dwarf* handle() const { return dwarf_.get(); }
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_; }

 private:
  struct Closer {
    void operator()(::Dwarf* dwarf) const;
  };
  DwarfFile(ElfImage image, ::Dwarf* dwarf, std::size_t bytes)
      : image_(std::move(image)), dwarf_(dwarf), bytes_(bytes) {}

  ElfImage image_;  // of its own: its handle keeps what was read
  std::unique_ptr<::Dwarf, Closer> dwarf_;
  std::size_t bytes_;
};

}  // namespace connleak
