// SPDX-License-Identifier: Apache-2.0
// Parsing of /proc/PID/maps.
#include "symbols/maps.hpp"

#include <charconv>
#include <optional>

namespace connleak {

namespace {

// The number at the front, which must be followed by `separator`; both are taken off.
template <class T>
bool take_number(std::string_view& text, char separator, int base, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc{} || end == text.data() + text.size() || *end != separator) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return true;
}

std::optional<MapsEntry> parse_line(std::string_view line) {
  MapsEntry entry;
  if (!take_number(line, '-', 16, entry.start) || !take_number(line, ' ', 16, entry.end)) return std::nullopt;
  if (line.size() < 5 || line[2] != 'x' || line[4] != ' ' || entry.start >= entry.end) return std::nullopt;
  line.remove_prefix(5);
  if (!take_number(line, ' ', 16, entry.offset) || !take_number(line, ':', 16, entry.file.major) ||
      !take_number(line, ' ', 16, entry.file.minor)) {
    return std::nullopt;
  }
  const auto inode_end = std::from_chars(line.data(), line.data() + line.size(), entry.file.inode);
  if (inode_end.ec != std::errc{}) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(inode_end.ptr - line.data()));
  if (const auto path = line.find_first_not_of(' '); path != std::string_view::npos) {
    line.remove_prefix(path);
    constexpr std::string_view kDeleted = " (deleted)";
    if (line.ends_with(kDeleted)) line.remove_suffix(kDeleted.size());
    entry.path = line;
  }
  return entry;
}

}  // namespace

std::vector<MapsEntry> parse_maps(std::string_view text) {
  std::vector<MapsEntry> entries;
  while (!text.empty()) {
    const auto end = text.find('\n');
    if (auto entry = parse_line(text.substr(0, end))) entries.push_back(*std::move(entry));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return entries;
}

}  // namespace connleak
