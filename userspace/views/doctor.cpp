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

std::string render_sites(std::uint32_t pid, const std::vector<SiteGroup>& groups) {
  if (groups.empty()) return fmt::format("\nProcess {}: no driver or pool that connleak knows to probe.\n", pid);
  std::string text;
  for (const SiteGroup& group : groups) {
    text += fmt::format("\nProcess {}: {} in {}{}\n", pid, escape(group.driver), escape(group.path),
                        group.why_not.empty() ? "" : fmt::format(" is not probed: {}", escape(group.why_not)));
    for (const SiteGroup::Line& line : group.sites)
      text += fmt::format("  {:<8} {:<9} {}\n           {}\n", line.placed ? "placed" : "skipped", line.purpose,
                          escape(line.function), escape(line.detail));
  }
  return text;
}

}  // namespace connleak
