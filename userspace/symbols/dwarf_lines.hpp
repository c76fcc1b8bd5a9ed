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

#include "symbols/dwarf_file.hpp"
#include "symbols/elf_image.hpp"

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
  // nullptr: no debug information, or none that is read (dwarf_file.hpp): more than 512 MiB of it. The image's
  // descriptor must outlive it.
  [[nodiscard]] static std::unique_ptr<DwarfLines> open(const ElfImage& image);

  // Innermost first, the physical function last. Empty: the address is in no unit. A single frame without a
  // function where only the line is known.
  [[nodiscard]] std::vector<DwarfFrame> lookup(std::uint64_t address) const;

  // The sections, and about what libdw makes of the units that were looked at.
  [[nodiscard]] std::size_t memory_bytes() const { return file_.memory_bytes() + units_bytes_; }

 private:
  explicit DwarfLines(DwarfFile file) : file_(std::move(file)) {}

  DwarfFile file_;
  mutable std::size_t units_bytes_ = 0;
  mutable std::unordered_set<std::uint64_t> units_;  // by offset
};

}  // namespace connleak
