// SPDX-License-Identifier: Apache-2.0
// A function's code, decoded from its first byte to its last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "sites/instruction.hpp"
#include "symbols/elf_image.hpp"

namespace connleak {

// As a symbol or Go's function table says. Padding behind it does no harm.
struct FunctionRange {
  std::uint64_t address = 0;  // link-time
  std::uint64_t size = 0;     // bytes

  [[nodiscard]] bool contains(std::uint64_t at) const { return at - address < size; }
};

class Code {
 public:
  // A driver's functions have some kilobytes; a size above this one is a mistake or a trick.
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{64} << 10;

  // Fails where the range is empty, too large, or not wholly in an executable segment of an x86-64 file, where a
  // byte is in no instruction, and where a jump leads into one: then the range is not what it is said to be.
  [[nodiscard]] static Result<Code> read(const ElfImage& image, const FunctionRange& range);
  [[nodiscard]] static Result<Code> decode(std::span<const std::byte> bytes, std::uint64_t address);

  [[nodiscard]] const FunctionRange& range() const { return range_; }
  [[nodiscard]] std::span<const Instruction> instructions() const { return instructions_; }
  // A jump or branch within the function leads there, or a call; not one of itself.
  [[nodiscard]] bool is_target(std::uint64_t address) const;
  // The first jump whose targets are not known; nullptr: none.
  [[nodiscard]] const Instruction* computed_jump() const;

 private:
  FunctionRange range_;
  std::vector<Instruction> instructions_;  // by address
  std::vector<std::uint64_t> targets_;     // sorted
};

}  // namespace connleak
