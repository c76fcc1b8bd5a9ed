// SPDX-License-Identifier: Apache-2.0
// One instruction of x86-64, reduced to what placing a probe takes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sites/registers.hpp"

namespace connleak {

enum class InstructionKind : std::uint8_t {
  plain,  // computes, loads or stores, and goes on to the next instruction
  nop,    // of any length
  push,   // of a register
  jump,
  branch,  // a jump under a condition
  call,
  ret,
  other  // everything else: system calls, traps, string moves, what is not known
};

inline constexpr std::size_t kMaxInstruction = 15;  // bytes; the processor takes no longer one

struct Instruction {
  std::uint64_t address = 0;  // link-time
  std::array<std::byte, kMaxInstruction> bytes{};
  std::uint8_t length = 0;
  InstructionKind kind = InstructionKind::other;
  bool by_table = false;                    // a jump to one of a table's 8-byte addresses, as Go's switches make
  bool legacy = true;                       // no VEX, EVEX or XOP encoding
  bool stores = false;                      // into memory other than at a constant distance from rsp
  RegisterSet writes;                       // also those of which it writes a part
  std::optional<std::uint64_t> target;      // of a jump, branch or call that names its target; link-time
  std::optional<std::int32_t> moves_stack;  // what a plain one adds to rsp, bytes, where that is a constant

  [[nodiscard]] std::uint64_t end() const { return address + length; }
  [[nodiscard]] std::span<const std::byte> code() const { return std::span(bytes).first(length); }
  [[nodiscard]] std::string text() const;  // "jbe 0x4c80be"
};

// The instruction that the bytes begin with; nullopt where they are none, or not whole.
[[nodiscard]] std::optional<Instruction> decode(std::span<const std::byte> bytes, std::uint64_t address);

}  // namespace connleak
