// SPDX-License-Identifier: Apache-2.0
// The layout of a recording, shared by its reader and its writer.
//
//   head:   "CONNLEAK", u32 format version, u32 WIRE_VERSION, u32 size of the preamble, preamble (JSON)
//   frame:  u32 payload bytes, u32 checksum() of the payload, payload: whole wire records
//   end:    a frame without payload; a recording that lacks it was cut
//
// Integers are in host byte order, as in the records: a recording from the other byte order shows another
// format version and is refused as such.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "events/source.hpp"

namespace connleak::recording {

inline constexpr std::array<char, 8> magic{'C', 'O', 'N', 'N', 'L', 'E', 'A', 'K'};
inline constexpr std::uint32_t format_version = 1;

struct Head {
  std::array<char, 8> magic;
  std::uint32_t format_version;
  std::uint32_t wire_version;
  std::uint32_t preamble_bytes;
};
static_assert(sizeof(Head) == 20);

struct FrameHead {
  std::uint32_t payload_bytes;
  std::uint32_t checksum;
};
static_assert(sizeof(FrameHead) == 8);

// A few names and numbers; a hostile file must not make the reader allocate more.
inline constexpr std::uint32_t max_preamble_bytes = 64 * 1024;
// The largest ring that makes sense, drained in one go.
inline constexpr std::uint32_t max_payload_bytes = 64 * 1024 * 1024;

// Finds torn writes and flipped bits, not malice: what a recording holds is checked by the decoder.
[[nodiscard]] std::uint32_t checksum(std::span<const std::byte> bytes);
[[nodiscard]] std::string to_json(const Preamble& preamble);
// Nothing where a field is missing or of another type. Unknown fields are ignored.
[[nodiscard]] std::optional<Preamble> from_json(std::string_view json);

}  // namespace connleak::recording
