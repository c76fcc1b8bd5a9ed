// SPDX-License-Identifier: Apache-2.0
// How a function's frame gives the registers of its caller: one row of call frame information (DWARF 5,
// section 6.4).
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

// One or two pieces of a stack as they were captured.
class StackMemory {
 public:
  // `address`: of the first byte.
  StackMemory(std::uint64_t address, std::span<const std::byte> bytes) : address_(address), bytes_(bytes) {}

  // Another piece, which lies higher.
  void add(std::uint64_t address, std::span<const std::byte> bytes) {
    higher_address_ = address;
    higher_ = bytes;
  }

  // nullopt outside of what was captured.
  [[nodiscard]] std::optional<std::uint64_t> word(std::uint64_t at);
  // A word was asked for that lies above what was captured, and so near that it may be of the same stack.
  [[nodiscard]] bool missed_above() const { return lowest_missed_ != 0; }
  // The lowest such word's address; 0: none.
  [[nodiscard]] std::uint64_t lowest_missed() const { return lowest_missed_; }

 private:
  std::uint64_t address_;
  std::span<const std::byte> bytes_;
  std::uint64_t higher_address_ = 0;
  std::span<const std::byte> higher_;
  std::uint64_t lowest_missed_ = 0;
};

// The canonical frame address, or one register of the caller.
struct FrameRule {
  enum class Kind : std::uint8_t {
    undefined,        // the caller's is lost
    same,             // not changed
    at_offset,        // lies at the canonical frame address + offset
    frame_offset,     // is the canonical frame address + offset
    register_offset,  // is the register `base` + offset
    expression,       // is what the expression leaves
    at_expression,    // lies there
  };
  Kind kind = Kind::undefined;
  std::uint8_t base = 0;
  std::uint16_t size = 0;  // bytes of the expression, which begins at `offset` of the row's
  std::int64_t offset = 0;
};

struct FrameRow {
  FrameRule frame_address;
  std::array<FrameRule, kRegisters> registers;
  std::vector<std::byte> expressions;            // DW_OP_* with their operands
  std::uint8_t return_address = kReturnAddress;  // the column that has it; kRegisters: none that is known
  bool is_signal_frame = false;                  // the return address is that of an interrupted instruction

  // The outermost frame says that it has no caller.
  [[nodiscard]] bool is_outermost() const {
    return return_address < kRegisters && registers[return_address].kind == FrameRule::Kind::undefined;
  }
};

// The caller's registers, its stack pointer and (as kReturnAddress) where it goes on included. nullopt: a register
// or a byte that is needed was not captured, or the row makes no sense.
[[nodiscard]] std::optional<Registers> apply(const FrameRow& row, const Registers& registers, StackMemory& stack);

}  // namespace connleak
