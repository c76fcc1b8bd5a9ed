// SPDX-License-Identifier: Apache-2.0
// Text that came from elsewhere, made safe; and the ways connleak writes times and durations.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace connleak {

// Fit for a terminal, a label or a log line: control characters, DEL, C1, bidi controls, the line and
// paragraph separators and bytes that are no valid UTF-8 become \xNN, byte by byte; a backslash becomes \\.
// Everything else stays.
[[nodiscard]] std::string escape(std::string_view untrusted);

// The bytes up to the first NUL of a fixed-size field.
template <std::size_t N>
[[nodiscard]] std::string_view fixed_text(const char (&field)[N]) {
  const std::string_view all(field, N);
  return all.substr(0, all.find('\0'));
}

// "250ms", "30s", "5m", "2h"; a number and one unit, fractions allowed ("1.5s"). Negative, empty and
// overflowing ones are refused with one sentence.
[[nodiscard]] Result<std::chrono::nanoseconds> parse_duration(std::string_view text);

// Short and steady in width for tables: "42ms", "0.3s", "12s", "4m10s", "3h05m", "2d04h". Cut, not rounded, so
// that an age is never overstated; tenths of a second between 0.1 and 10 s.
[[nodiscard]] std::string format_duration(std::chrono::nanoseconds duration);

// RFC 3339 in UTC with milliseconds: "2026-01-31T23:59:59.123Z". Nanoseconds since the Unix epoch.
[[nodiscard]] std::string format_rfc3339(std::int64_t unix_ns);

// "192.0.2.1" or "2001:db8::1", from network-order bytes; family AF_INET or AF_INET6, anything else is
// "unknown".
[[nodiscard]] std::string format_address(std::uint16_t family, const std::uint8_t (&address)[16]);

}  // namespace connleak
