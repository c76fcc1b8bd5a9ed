// SPDX-License-Identifier: Apache-2.0
// /proc/PID/maps: what is mapped executable, and where.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace connleak {

struct FileKey {
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint64_t inode = 0;
  friend auto operator<=>(const FileKey&, const FileKey&) = default;
};

struct MapsEntry {
  std::uint64_t start = 0;
  std::uint64_t end = 0;     // exclusive
  std::uint64_t offset = 0;  // bytes in the file
  FileKey file;              // inode 0: no file
  std::string path;          // as the process sees it, " (deleted)" cut off; "[vdso]"; "" for anonymous memory
};

// Executable mappings only, in the order of the text (the kernel's is ascending). Lines that are no maps line are
// left out.
[[nodiscard]] std::vector<MapsEntry> parse_maps(std::string_view text);

}  // namespace connleak
