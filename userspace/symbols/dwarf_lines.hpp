// SPDX-License-Identifier: Apache-2.0
// Source positions and inlined functions from DWARF.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "symbols/elf_image.hpp"

struct Dwarf;

namespace connleak {

struct DwarfFrame {
  std::optional<std::string> function;  // linker name where there is one, else the source's
  bool is_linker_name = false;
  std::optional<std::string> file;
  std::optional<std::uint32_t> line;
  bool is_rust = false;
};

class DwarfLines {
 public:
  // nullptr: no debug information, or none that is read: more than 512 MiB of it, or such that libdw would open
  // further files by names that the file gives (.gnu_debugaltlink). Reads the debug sections into memory. The
  // image's descriptor must outlive it.
  [[nodiscard]] static std::unique_ptr<DwarfLines> open(const ElfImage& image);

  // Innermost first, the physical function last. Empty: the address is in no unit. A single frame without a
  // function where only the line is known.
  [[nodiscard]] std::vector<DwarfFrame> lookup(std::uint64_t address) const;

  // The sections, and about what libdw makes of the units that were looked at.
  [[nodiscard]] std::size_t memory_bytes() const { return sections_bytes_ + units_bytes_; }

 private:
  struct Closer {
    void operator()(::Dwarf* dwarf) const;
  };
  DwarfLines(ElfImage image, ::Dwarf* dwarf, std::size_t bytes)
      : image_(std::move(image)), dwarf_(dwarf), sections_bytes_(bytes) {}

  ElfImage image_;  // of its own: its handle keeps what was read
  std::unique_ptr<::Dwarf, Closer> dwarf_;
  std::size_t sections_bytes_;
  mutable std::size_t units_bytes_ = 0;
  mutable std::unordered_set<std::uint64_t> units_;  // by offset
};

}  // namespace connleak
