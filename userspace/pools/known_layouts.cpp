// SPDX-License-Identifier: Apache-2.0
// Layouts by version.
#include <algorithm>
#include <array>
#include <charconv>
#include <compare>

#include "pools/layouts.hpp"

namespace connleak {

namespace {

struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

template <class Key, class Layout>
struct Row {
  Key version;
  Layout layout;
};

constexpr Offset none = kNoOffset;
constexpr SqlRequests map = SqlRequests::map;
constexpr SqlRequests set = SqlRequests::set;

constexpr Row<int, SqlLayout> kSql[] = {
#include "pools/sql_layouts.inc"
};
constexpr Row<Version, PuddleLayout> kPuddle[] = {
#include "pools/puddle_layouts.inc"
};
constexpr Row<Version, Offset> kPgx[] = {
#include "pools/pgxpool_layouts.inc"
};

template <class Table>
constexpr bool is_sorted(const Table& table) {
  return std::ranges::is_sorted(table, {}, [](const auto& row) { return row.version; });
}
static_assert(is_sorted(kSql) && is_sorted(kPuddle) && is_sorted(kPgx));

template <class Key, class Layout, std::size_t kRows>
std::optional<Layout> find(const Row<Key, Layout> (&table)[kRows], const Key& version) {
  const auto* above = std::ranges::lower_bound(table, version, {}, &Row<Key, Layout>::version);
  if (above == std::end(table)) return std::nullopt;
  const bool is_exact = above->version == version;
  if (!is_exact && (above == std::begin(table) || !(above[-1].layout == above->layout))) return std::nullopt;
  return above->layout;
}

// Cuts a number off the front; nullopt: none, or one with more digits than a version has.
std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc{} || value < 0 || value > 100'000 || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(parsed.ptr - text.data()));
  return value;
}

// Three numbers, each behind one of these letters; what is left of the text follows. Fewer where the text ends.
std::optional<Version> take_version(std::string_view& text, std::string_view marks, std::size_t at_least) {
  std::array<int, 3> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (text.empty() || text.front() != marks[i]) {
      if (i < at_least) return std::nullopt;
      break;
    }
    text.remove_prefix(1);
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  return Version{numbers[0], numbers[1], numbers[2]};
}

// "v5.7.1"
std::optional<Version> module_version(std::string_view text) {
  const auto version = take_version(text, "v..", 3);
  return text.empty() ? version : std::nullopt;
}

}  // namespace

std::optional<SqlLayout> known_sql_layout(std::string_view go_version) {
  if (!go_version.starts_with("go")) return std::nullopt;
  go_version.remove_prefix(1);
  // "go1.21" was a first release to 1.20; experiments follow as " X:NAME".
  const auto version = take_version(go_version, "o..", 2);
  if (!version || version->major != 1 || (!go_version.empty() && !go_version.starts_with(" X:")))
    return std::nullopt;
  return find(kSql, version->minor);
}

std::optional<PgxLayout> known_pgx_layout(std::string_view pgx, std::string_view puddle) {
  const auto pgx_version = module_version(pgx);
  const auto puddle_version = module_version(puddle);
  if (!pgx_version || !puddle_version) return std::nullopt;
  auto field = find(kPgx, *pgx_version);
  // Patch releases of the newest minor.
  const auto& newest = kPgx[std::size(kPgx) - 1];
  if (!field && pgx_version->major == newest.version.major && pgx_version->minor == newest.version.minor)
    field = newest.layout;
  const auto pool = find(kPuddle, *puddle_version);
  if (!field || !pool) return std::nullopt;
  return PgxLayout{*field, *pool};
}

}  // namespace connleak
