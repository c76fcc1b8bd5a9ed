// SPDX-License-Identifier: Apache-2.0
// Text in columns: widths in terminal cells, cutting, padding, wrapping, colour. All texts taken here are
// valid UTF-8 without control characters: what escape() returns.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace connleak {

// Cells: 0 for combining marks, 2 for East Asian wide and emoji, else 1.
[[nodiscard]] std::size_t display_width(std::string_view text);

// At most width cells; what was cut off at the end (or, cut_left, at the start) leaves "...".
[[nodiscard]] std::string cut(std::string_view text, std::size_t width);
[[nodiscard]] std::string cut_left(std::string_view text, std::size_t width);

// Exactly width cells, cut if need be, filled up at the right (or, pad_left, at the left).
[[nodiscard]] std::string pad(std::string_view text, std::size_t width);
[[nodiscard]] std::string pad_left(std::string_view text, std::size_t width);

// Lines of at most width cells, broken at single spaces; a longer word stands alone and sticks out whole.
[[nodiscard]] std::vector<std::string> wrap(std::string_view text, std::size_t width);

enum class Tone { plain, bold, dim, red, yellow, blue, green };

// Text between the escape sequences of a tone, or as it is where colour is off. Paint after cutting.
class Paint {
 public:
  explicit Paint(bool colour) : colour_(colour) {}
  [[nodiscard]] std::string operator()(Tone tone, std::string_view text) const;

 private:
  bool colour_;
};

// format_duration for the Snapshot's seconds; "?" where unknown.
[[nodiscard]] std::string duration_text(const std::optional<double>& seconds);

}  // namespace connleak
