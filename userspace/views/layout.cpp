// SPDX-License-Identifier: Apache-2.0
// Columns by terminal cells.
#include "views/layout.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>

#include "base/text.hpp"

namespace connleak {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// The common blocks of Unicode 15, not every code point: a wrong guess shifts one column of one row.
constexpr std::array<Range, 9> zero_width = {{{0x0300, 0x036f},
                                              {0x0483, 0x0489},
                                              {0x0591, 0x05bd},
                                              {0x0610, 0x061a},
                                              {0x064b, 0x065f},
                                              {0x1ab0, 0x1aff},
                                              {0x200b, 0x200f},
                                              {0x20d0, 0x20ff},
                                              {0xfe00, 0xfe0f}}};
constexpr std::array<Range, 9> double_width = {{{0x1100, 0x115f},
                                                {0x2e80, 0x303e},
                                                {0x3041, 0xa4cf},
                                                {0xac00, 0xd7a3},
                                                {0xf900, 0xfaff},
                                                {0xfe30, 0xfe6f},
                                                {0xff00, 0xff60},
                                                {0x1f300, 0x1faff},
                                                {0x20000, 0x3fffd}}};

template <std::size_t N>
bool within_any(const std::array<Range, N>& ranges, char32_t c) {
  return std::any_of(ranges.begin(), ranges.end(), [c](Range r) { return c >= r.first && c <= r.last; });
}

std::size_t cells(char32_t c) {
  if (c < 0x300) return 1;
  if (within_any(zero_width, c)) return 0;
  return within_any(double_width, c) ? 2 : 1;
}

// The code point at `at`, and past it. Bytes that start nothing count as themselves.
char32_t next(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  if (lead < 0xc0) return lead;
  const int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  char32_t c = lead & (0x3fU >> more);
  for (int i = 0; i < more && at < text.size(); ++i) {
    c = (c << 6) | (static_cast<unsigned char>(text[at++]) & 0x3f);
  }
  return c;
}

// The longest start of the text that takes at most `width` cells.
std::string_view head(std::string_view text, std::size_t width) {
  std::size_t used = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t after = at;
    used += cells(next(text, after));
    if (used > width) break;
    at = after;
  }
  return text.substr(0, at);
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) width += cells(next(text, at));
  return width;
}

std::string cut(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width <= 3) return std::string(head(text, width));
  return std::string(head(text, width - 3)) + "...";
}

std::string cut_left(std::string_view text, std::size_t width) {
  const std::size_t all = display_width(text);
  if (all <= width) return std::string(text);
  if (width <= 3) return std::string(head(text, width));
  std::size_t at = 0;
  for (std::size_t left = all; left > width - 3;) left -= cells(next(text, at));
  return "..." + std::string(text.substr(at));
}

std::string pad(std::string_view text, std::size_t width) {
  std::string out = cut(text, width);
  return out.append(width - std::min(width, display_width(out)), ' ');
}

std::string pad_left(std::string_view text, std::size_t width) {
  const std::string out = cut(text, width);
  return std::string(width - std::min(width, display_width(out)), ' ') + out;
}

std::vector<std::string> wrap(std::string_view text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  while (!text.empty()) {
    // Two spaces set parts of a headline apart: they belong to the word before them.
    std::size_t end = text.find(' ');
    std::size_t after = end == std::string_view::npos ? text.size() : text.find_first_not_of(' ', end);
    if (after == std::string_view::npos) after = text.size();
    if (end == std::string_view::npos) end = text.size();
    const std::string_view word = text.substr(0, end);
    if (!line.empty() && display_width(line) + display_width(word) > width) {
      lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
      line.clear();
    }
    line += text.substr(0, after);
    text.remove_prefix(after);
  }
  if (!line.empty() || lines.empty()) lines.push_back(line.substr(0, line.find_last_not_of(' ') + 1));
  return lines;
}

std::string Paint::operator()(Tone tone, std::string_view text) const {
  if (!colour_ || tone == Tone::plain || text.empty()) return std::string(text);
  std::string_view code;
  switch (tone) {
    case Tone::plain:
      break;
    case Tone::bold:
      code = "1";
      break;
    case Tone::dim:
      code = "2";
      break;
    case Tone::red:
      code = "1;31";
      break;
    case Tone::yellow:
      code = "1;33";
      break;
    case Tone::blue:
      code = "1;34";
      break;
    case Tone::green:
      code = "1;32";
      break;
  }
  return "\x1b[" + std::string(code) + "m" + std::string(text) + "\x1b[0m";
}

std::string duration_text(const std::optional<double>& seconds) {
  if (!seconds || !std::isfinite(*seconds)) return "?";
  const double ns = std::clamp(*seconds, 0.0, 9e9) * 1e9;
  return format_duration(std::chrono::nanoseconds(static_cast<std::int64_t>(ns)));
}

}  // namespace connleak
