// SPDX-License-Identifier: Apache-2.0
// The memory of a living process. It changes while it is read: whatever comes from it may be anything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace connleak {

struct MemoryPiece {
  std::uint64_t address = 0;
  std::span<std::byte> out;
};

class Memory {
 public:
  virtual ~Memory() = default;
  // All of `out`, or nothing (false). Never blocks for long, never throws.
  [[nodiscard]] virtual bool read(std::uint64_t address, std::span<std::byte> out) const = 0;
  // All of all pieces, or false and any of them.
  [[nodiscard]] virtual bool read_all(std::span<const MemoryPiece> pieces) const {
    return std::ranges::all_of(pieces, [&](const MemoryPiece& piece) { return read(piece.address, piece.out); });
  }
  template <class T>
  [[nodiscard]] std::optional<T> value(std::uint64_t address) const {
    T found{};
    if (!read(address, std::as_writable_bytes(std::span<T>(&found, 1)))) return std::nullopt;
    return found;
  }
};

}  // namespace connleak
