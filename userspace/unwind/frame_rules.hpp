// SPDX-License-Identifier: Apache-2.0
// How a function's frame gives the registers of its caller: one row of call frame information (DWARF 5, section 6.4).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace connleak {

// DWARF's numbers for x86-64 (System V ABI, AMD64 supplement, figure 3.36).
inline constexpr std::size_t kRegisters = 17;
inline constexpr std::size_t kBx = 3, kDi = 5, kBp = 6, kSp = 7, kR12 = 12, kReturnAddress = 16;

struct Registers {
  std::array<std::optional<std::uint64_t>, kRegisters> values;
  [[nodiscard]] std::optional<std::uint64_t>& operator[](std::size_t number) { return values[number]; }
  [[nodiscard]] const std::optional<std::uint64_t>& operator[](std::size_t number) const { return values[number]; }
};

// A piece of a stack as it was captured.
struct StackMemory {
  std::uint64_t address = 0;  // of the first byte
  std::span<const std::byte> bytes;
  // nullopt outside of what was captured.
  [[nodiscard]] std::optional<std::uint64_t> word(std::uint64_t at) const;
};

struct FrameOperation {
  std::uint8_t atom = 0;  // DW_OP_*
  std::uint64_t number = 0, number2 = 0;
};

// The canonical frame address, or one register of the caller.
struct FrameRule {
  enum class Kind : std::uint8_t {
    undefined,       // the caller's is lost
    same,            // not changed
    at_offset,       // lies at the canonical frame address + offset
    register_offset  /* `base` + offset */,
    expression,      // is what the operations leave
    at_expression,   // lies there
  };
  Kind kind = Kind::undefined;
  std::uint8_t base = 0;
  std::int64_t offset = 0;
  std::vector<FrameOperation> operations;
};

struct FrameRow {
  FrameRule frame_address;
  std::array<FrameRule, kRegisters> registers;
  std::uint8_t return_address = kReturnAddress;  // the column that has it
  bool is_signal_frame = false;                  // the return address is that of an interrupted instruction
};

// The caller's registers, its stack pointer and (as kReturnAddress) where it goes on included. nullopt: a register or
// a byte that is needed was not captured, or the row makes no sense.
[[nodiscard]] std::optional<Registers> apply(const FrameRow& row, const Registers& registers,
                                             const StackMemory& stack);

}  // namespace connleak
