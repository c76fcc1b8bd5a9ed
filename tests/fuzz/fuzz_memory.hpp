// SPDX-License-Identifier: Apache-2.0
// Memory of a process that is whatever the fuzzer says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "base/memory.hpp"

// The bytes lie at kBase; beyond them lies nothing, or the same again.
class FuzzMemory final : public connleak::Memory {
 public:
  static constexpr std::uint64_t kBase = 0x10000;
  // More reads, or a longer one, are a defect.
  struct Limits {
    std::size_t reads = 0;
    std::size_t bytes = 0;
  };
  FuzzMemory(std::span<const std::uint8_t> bytes, bool is_ring, Limits limits)
      : bytes_(bytes), is_ring_(is_ring), limits_(limits) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override {
    if (++reads_ > limits_.reads || out.size() > limits_.bytes) std::abort();
    if (bytes_.empty()) return false;
    if (!is_ring_ &&
        (address < kBase || address - kBase > bytes_.size() || out.size() > bytes_.size() - (address - kBase)))
      return false;
    std::size_t at = static_cast<std::size_t>((address - kBase) % bytes_.size());
    for (std::byte& byte : out) {
      byte = static_cast<std::byte>(bytes_[at]);
      if (++at == bytes_.size()) at = 0;
    }
    return true;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  bool is_ring_;
  Limits limits_;
  mutable std::size_t reads_ = 0;
};
