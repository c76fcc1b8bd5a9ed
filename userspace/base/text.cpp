// SPDX-License-Identifier: Apache-2.0
// Escaping of untrusted text; durations, times and addresses as text.
#include "base/text.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <limits>

namespace connleak {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: no valid UTF-8 here
};

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
CodePoint decode_utf8(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes) return {};
  char32_t value = lead & (0x7fu >> bytes);
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3fu);
  }
  static constexpr std::array<char32_t, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[bytes] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, bytes};
}

bool is_unsafe(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c <= 0x9f);
  const bool separator = c == 0x2028 || c == 0x2029;
  // Unicode's Bidi_Control property.
  const bool bidi =
      c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return control || separator || bidi;
}

struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 4> units{
    {{"ms", 1'000'000}, {"s", 1'000'000'000}, {"m", 60'000'000'000}, {"h", 3'600'000'000'000}}};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string escape(std::string_view untrusted) {
  std::string out;
  out.reserve(untrusted.size());
  while (!untrusted.empty()) {
    const CodePoint point = decode_utf8(untrusted);
    const std::size_t bytes = point.bytes == 0 ? 1 : point.bytes;
    if (point.bytes == 0 || is_unsafe(point.value)) {
      for (const char c : untrusted.substr(0, bytes)) {
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
      }
    } else if (point.value == '\\') {
      out += "\\\\";
    } else {
      out += untrusted.substr(0, bytes);
    }
    untrusted.remove_prefix(bytes);
  }
  return out;
}

Result<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    // Whoever typed a novel need not read it again.
    return failure(ErrorKind::usage,
                   fmt::format("\"{}\" {}; write a number and one unit, as in 250ms, 30s, 5m, 2h",
                               escape(text.substr(0, 40)), what));
  };
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (text.empty() || !is_digit(text.front())) return refuse("is not a duration");
  const auto [after, error] = std::from_chars(text.data(), end, whole);
  if (error != std::errc{}) return refuse("is too long a duration");
  std::string_view rest = text.substr(static_cast<std::size_t>(after - text.data()));

  std::string_view fraction;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    std::size_t digits = 0;
    while (digits < rest.size() && is_digit(rest[digits])) ++digits;
    if (digits == 0) return refuse("is not a duration");
    fraction = rest.substr(0, digits);
    rest.remove_prefix(digits);
  }
  const Unit* unit = find_unit(rest);
  if (unit == nullptr) return refuse("is not a duration");

  // Every unit is a multiple of a power of ten, so this is exact to the nanosecond.
  std::int64_t part = 0;
  std::int64_t place = unit->nanoseconds;
  for (const char digit : fraction) {
    place /= 10;
    part += (digit - '0') * place;
  }
  if (whole > (std::numeric_limits<std::int64_t>::max() - part) / unit->nanoseconds) {
    return refuse("is too long a duration");
  }
  return std::chrono::nanoseconds(whole * unit->nanoseconds + part);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  if (duration.count() < 0) {
    if (duration == std::chrono::nanoseconds::min()) duration += std::chrono::nanoseconds(1);
    return "-" + format_duration(-duration);
  }
  const std::int64_t ms = duration.count() / 1'000'000;
  if (ms < 100) return fmt::format("{}ms", ms);
  if (ms < 10'000) return fmt::format("{}.{}s", ms / 1000, ms / 100 % 10);
  const std::int64_t s = ms / 1000;
  if (s < 60) return fmt::format("{}s", s);
  if (s < 3600) return fmt::format("{}m{:02}s", s / 60, s % 60);
  if (s < 86400) return fmt::format("{}h{:02}m", s / 3600, s / 60 % 60);
  return fmt::format("{}d{:02}h", s / 86400, s / 3600 % 24);
}

std::string format_rfc3339(std::int64_t unix_ns) {
  using namespace std::chrono;
  const auto ms = floor<milliseconds>(nanoseconds(unix_ns));
  const auto day = floor<days>(ms);
  const year_month_day date{sys_days(day)};
  const hh_mm_ss time{ms - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), time.subseconds().count());
}

std::string format_address(std::uint16_t family, const std::uint8_t (&address)[16]) {
  char text[INET6_ADDRSTRLEN] = "";
  if (family != AF_INET && family != AF_INET6) return "unknown";
  if (::inet_ntop(family, address, text, sizeof text) == nullptr) return "unknown";
  return text;
}

}  // namespace connleak
