// SPDX-License-Identifier: Apache-2.0
// Copies of structures and arrays of another process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "base/memory.hpp"
#include "pools/layouts.hpp"

namespace connleak {

inline constexpr std::uint64_t kMaxMembers = 100'000;  // of one pool; servers have some thousand connections
inline constexpr std::uint64_t kMaxNumber = std::uint64_t{1}
                                            << 40;  // of connections, requests; what is larger is none
inline constexpr int kPoolAttempts = 8;

// One structure, taken by one read.
class Structure {
 public:
  [[nodiscard]] static std::optional<Structure> read(const Memory& memory, std::uint64_t address, Offset size) {
    Structure found;
    found.bytes_.resize(size);
    if (address == 0 || address % 8 != 0 || !memory.read(address, found.bytes_)) return std::nullopt;
    return found;
  }
  // 0 beyond its end.
  template <class T>
  [[nodiscard]] T at(std::size_t offset) const {
    T value{};
    if (offset <= bytes_.size() && sizeof value <= bytes_.size() - offset)
      std::memcpy(&value, bytes_.data() + offset, sizeof value);
    return value;
  }
  [[nodiscard]] std::uint64_t word(std::size_t offset) const { return at<std::uint64_t>(offset); }
  friend bool operator==(const Structure&, const Structure&) = default;

 private:
  std::vector<std::byte> bytes_;
};

// A Go slice at an offset of a structure: data, length, capacity.
struct Slice {
  Slice(const Structure& structure, Offset offset)
      : data(structure.word(offset)),
        length(structure.word(offset + std::size_t{8})),
        capacity(structure.word(offset + std::size_t{16})) {}
  [[nodiscard]] bool is_plausible() const {
    return length <= capacity && capacity < kMaxNumber && data % 8 == 0 && (length == 0 || data != 0);
  }
  std::uint64_t data;
  std::uint64_t length;
  std::uint64_t capacity;
};

// sync.Mutex: bit 0 of its first word.
inline bool is_locked(std::uint64_t mutex) { return (mutex & 1) != 0; }

// An array of pointers; nullopt where it cannot be read, or one of them cannot be one.
[[nodiscard]] std::optional<std::vector<std::uint64_t>> read_pointers(const Memory& memory, std::uint64_t address,
                                                                      std::uint64_t count);

// The value at `offset` behind each of the addresses.
template <class T>
[[nodiscard]] std::optional<std::vector<T>> read_fields(const Memory& memory,
                                                        std::span<const std::uint64_t> addresses, Offset offset) {
  std::vector<T> values(addresses.size());
  std::vector<MemoryPiece> pieces;
  pieces.reserve(addresses.size());
  for (std::size_t i = 0; i < addresses.size(); ++i)
    pieces.push_back({addresses[i] + offset, std::as_writable_bytes(std::span(&values[i], 1))});
  if (!memory.read_all(pieces)) return std::nullopt;
  return values;
}

}  // namespace connleak
