// SPDX-License-Identifier: Apache-2.0
// Source positions and inlined functions from DWARF.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
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
  // nullptr: no debug information, or none that is read: too large, or such that libdw would open further files by
  // names that the file gives (.gnu_debugaltlink). The image must outlive it. Reads the debug sections into
  // memory.
  [[nodiscard]] static std::unique_ptr<DwarfLines> open(const ElfImage& image);

  // Innermost first, the physical function last. Empty: the address is in no unit. A single frame without a
  // function where only the line is known.
  [[nodiscard]] std::vector<DwarfFrame> lookup(std::uint64_t address) const;

 private:
  struct Closer {
    void operator()(::Dwarf* dwarf) const;
  };
  explicit DwarfLines(::Dwarf* dwarf) : dwarf_(dwarf) {}
  std::unique_ptr<::Dwarf, Closer> dwarf_;
};

}  // namespace connleak
