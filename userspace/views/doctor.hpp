// SPDX-License-Identifier: Apache-2.0
// What `doctor` prints.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace connleak {

struct DoctorLine {
  std::string name;
  bool ok = false;
  bool required = false;  // without it nothing can be observed
  std::string detail;     // what was found or chosen, and what follows
};

// Of one driver or pool in one file.
struct SiteGroup {
  std::string driver;
  std::string path;
  std::string why_not;  // "": it is probed
  struct Line {
    std::string purpose;
    std::string function;
    bool placed = false;
    std::string detail;  // the instruction and its cost, or why it is skipped
  };
  std::vector<Line> sites;
};

[[nodiscard]] std::string render_sites(std::uint32_t pid, const std::vector<SiteGroup>& groups);
[[nodiscard]] std::string render_doctor(const std::vector<DoctorLine>& lines);

}  // namespace connleak
