// SPDX-License-Identifier: Apache-2.0
// Memory of processes that is not as it should be, or not as it is any more. What they are made from is borrowed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <random>
#include <span>
#include <vector>

#include "interpreters/interpreter.hpp"

namespace connleak::test {

// One read in `often` is wrong: up to three bits are, or all of them, or there is nothing.
class CorruptMemory : public Memory {
 public:
  CorruptMemory(const Memory& honest, unsigned seed, unsigned often = 4)
      : honest_(honest), random_(seed), often_(often) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] std::size_t bytes_read() const { return bytes_; }  // that were asked for

 private:
  const Memory& honest_;
  mutable std::mt19937 random_;
  unsigned often_;
  mutable std::size_t bytes_ = 0;
};

// As it was when it was read first, page by page; once closed it has nothing more.
class CapturedMemory : public Memory {
 public:
  explicit CapturedMemory(const Memory& live) : live_(live) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;
  void close() { closed_ = true; }

 private:
  const Memory& live_;
  bool closed_ = false;
  mutable std::map<std::uint64_t, std::vector<std::byte>> pages_;
};

// Of a process that has mapped its files and not run yet: what they have, and zeros.
class UnstartedMemory : public Memory {
 public:
  explicit UnstartedMemory(std::span<const MappedFile> files) : files_(files) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;

 private:
  std::span<const MappedFile> files_;
};

}  // namespace connleak::test
