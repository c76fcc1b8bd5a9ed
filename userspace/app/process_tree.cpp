// SPDX-License-Identifier: Apache-2.0
#include "app/process_tree.hpp"

#include <dirent.h>

#include <charconv>
#include <fstream>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

namespace connleak {
namespace {

struct Stat {
  char state = '?';
  std::uint32_t parent = 0;
};

std::optional<Stat> read_stat(std::uint32_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  // The name in parentheses may hold anything, parentheses included: the last one ends it.
  const auto end = line.rfind(')');
  if (end == std::string::npos || end + 4 >= line.size()) return std::nullopt;
  Stat stat;
  stat.state = line[end + 2];
  std::from_chars(line.data() + end + 4, line.data() + line.size(), stat.parent);
  return stat;
}

}  // namespace

bool process_exists(std::uint32_t pid) {
  const auto stat = read_stat(pid);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

std::vector<std::uint32_t> descendants(const std::vector<std::uint32_t>& roots) {
  std::unordered_map<std::uint32_t, std::vector<std::uint32_t>> children;
  const std::unique_ptr<DIR, int (*)(DIR*)> proc(::opendir("/proc"), ::closedir);
  while (const dirent* entry = proc ? ::readdir(proc.get()) : nullptr) {
    const std::string name = entry->d_name;
    std::uint32_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
    if (const auto stat = read_stat(pid)) children[stat->parent].push_back(pid);
  }
  std::set<std::uint32_t> seen;
  std::vector<std::uint32_t> open(roots);
  while (!open.empty()) {
    const std::uint32_t pid = open.back();
    open.pop_back();
    if (!seen.insert(pid).second) continue;
    for (const std::uint32_t child : children[pid]) open.push_back(child);
  }
  return {seen.begin(), seen.end()};
}

}  // namespace connleak
