// SPDX-License-Identifier: Apache-2.0
// A table that is written as text.
#pragma once

#include <cstddef>
#include <string_view>

namespace connleak {

// Words between white space. A word that starts with '#' begins a remark, which ends with the line.
class Words {
 public:
  explicit constexpr Words(std::string_view text) : text_(text) {}

  // The first for which `fits` holds, else "".
  template <class Predicate>
  [[nodiscard]] constexpr std::string_view find(const Predicate& fits) const {
    std::string_view left = text_;
    while (true) {
      const std::size_t begin = left.find_first_not_of(" \n\t");
      if (begin == std::string_view::npos) return {};
      left.remove_prefix(begin);
      const bool is_remark = left.front() == '#';
      const std::size_t end = is_remark ? left.find('\n') : left.find_first_of(" \n\t");
      if (!is_remark && fits(left.substr(0, end))) return left.substr(0, end);
      if (end == std::string_view::npos) return {};
      left.remove_prefix(end);
    }
  }

  template <class Predicate>
  [[nodiscard]] constexpr bool any(const Predicate& fits) const {
    return !find(fits).empty();
  }

 private:
  std::string_view text_;
};

}  // namespace connleak
