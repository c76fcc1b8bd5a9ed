// SPDX-License-Identifier: Apache-2.0
#include "views/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"

namespace connleak {

std::string render_doctor(const std::vector<DoctorLine>& lines) {
  std::size_t width = 0;
  for (const DoctorLine& line : lines) width = std::max(width, line.name.size());
  std::string text;
  bool able = true;
  for (const DoctorLine& line : lines) {
    const char* mark = line.ok ? "ok" : line.required ? "MISSING" : "limited";
    able = able && (line.ok || !line.required);
    text += fmt::format("{:<8} {:<{}}  {}\n", mark, line.name, width, escape(line.detail));
  }
  text += able ? "\nconnleak can observe on this host.\n"
               : "\nconnleak cannot observe on this host until what is MISSING is there.\n";
  return text;
}

}  // namespace connleak
