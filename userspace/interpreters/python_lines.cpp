// SPDX-License-Identifier: Apache-2.0
#include "interpreters/python_lines.hpp"

#include <limits>

namespace connleak {

namespace {

// A table of 1 MiB cannot move a line out of 64 bits.
using Line = std::int64_t;

constexpr std::int64_t kUnit = 2;  // bytes of one code unit

std::optional<std::uint32_t> valid(Line line) {
  if (line < 1 || line > std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(line);
}

std::uint32_t byte_at(std::span<const std::byte> table, std::size_t at) {
  return std::to_integer<std::uint32_t>(table[at]);
}

Line signed_byte(std::span<const std::byte> table, std::size_t at) {
  return static_cast<std::int8_t>(byte_at(table, at));
}

// Six bits a byte, the lowest first, with 0x40 where more follow; the sign is the lowest bit.
std::optional<Line> signed_varint(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t at = 0; at < bytes.size() && at < 6; ++at) {
    const std::uint64_t byte = byte_at(bytes, at);
    value |= (byte & 0x3f) << (6 * at);
    if ((byte & 0x40) != 0) continue;
    const auto size = static_cast<Line>(value >> 1);
    return (value & 1) != 0 ? -size : size;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> line_of_lnotab(std::span<const std::byte> table, std::int32_t first,
                                            std::int64_t offset) {
  Line line = first;
  std::int64_t start = 0;
  for (std::size_t at = 0; at + 1 < table.size(); at += 2) {
    start += byte_at(table, at);
    if (start > offset) break;
    line += signed_byte(table, at + 1);
  }
  return valid(line);
}

std::optional<std::uint32_t> line_of_ranges(std::span<const std::byte> table, std::int32_t first,
                                            std::int64_t offset) {
  if (offset < 0) return valid(first);
  Line line = first;
  std::int64_t end = 0;
  for (std::size_t at = 0; at + 1 < table.size(); at += 2) {
    end += byte_at(table, at);
    const Line step = signed_byte(table, at + 1);
    const bool no_line = step == -128;
    if (!no_line) line += step;
    if (offset < end) return no_line ? std::nullopt : valid(line);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> line_of_locations(std::span<const std::byte> table, std::int32_t first,
                                               std::int64_t offset) {
  if (offset < 0) return valid(first);
  Line line = first;
  std::int64_t end = 0;
  for (std::size_t at = 0; at < table.size();) {
    // Only the first byte of an entry has its top bit set.
    const std::uint32_t head = byte_at(table, at);
    if ((head & 0x80) == 0) return std::nullopt;
    std::size_t next = at + 1;
    while (next < table.size() && (byte_at(table, next) & 0x80) == 0) ++next;
    const std::uint32_t kind = head >> 3 & 15;
    if (kind == 13 || kind == 14) {
      const auto step = signed_varint(table.subspan(at + 1, next - at - 1));
      if (!step) return std::nullopt;
      line += *step;
    } else if (kind >= 10 && kind <= 12) {
      line += kind - 10;
    }
    end += kUnit * ((head & 7) + 1);
    if (offset < end) return kind == 15 ? std::nullopt : valid(line);
    at = next;
  }
  return std::nullopt;
}

}  // namespace connleak
