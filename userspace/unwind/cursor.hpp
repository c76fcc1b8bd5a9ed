// SPDX-License-Identifier: Apache-2.0
// Reading numbers from bytes that anybody may have written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace connleak {

// Little-endian. After the first read beyond the end, or of a number that is too long, every read gives 0 and
// is_good() false.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  [[nodiscard]] bool is_good() const { return is_good_; }
  [[nodiscard]] std::size_t position() const { return at_; }
  [[nodiscard]] std::size_t left() const { return is_good_ ? bytes_.size() - at_ : 0; }

  template <class T>
  T number() {
    T value{};
    if (const auto bytes = take(sizeof value); !bytes.empty()) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  std::span<const std::byte> take(std::uint64_t size) {
    if (size > left()) {
      is_good_ = false;
      return {};
    }
    const auto taken = bytes_.subspan(at_, static_cast<std::size_t>(size));
    at_ += static_cast<std::size_t>(size);
    return taken;
  }

  // LEB128 (DWARF 5, section 7.6), of at most ten bytes.
  std::uint64_t unsigned_leb() { return leb(false); }
  std::int64_t signed_leb() { return static_cast<std::int64_t>(leb(true)); }

 private:
  std::uint64_t leb(bool is_signed) {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
      const auto byte = number<std::uint8_t>();
      if (!is_good_) return 0;
      if (shift < 64) value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) != 0) continue;
      if (is_signed && (byte & 0x40) != 0 && shift + 7 < 64) value |= ~std::uint64_t{0} << (shift + 7);
      return value;
    }
    is_good_ = false;
    return 0;
  }

  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool is_good_ = true;
};

}  // namespace connleak
