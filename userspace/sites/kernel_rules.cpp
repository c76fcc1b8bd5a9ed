// SPDX-License-Identifier: Apache-2.0
#include "sites/kernel_rules.hpp"

#include <algorithm>

namespace connleak {
namespace {

// A prefix that makes the kernel refuse, or that it handles differently with an emulated instruction: anything
// before the opcode but REX, fs:, gs: and what belongs to the opcode of SSE.
bool has_segment_prefix(const Instruction& instruction) {
  for (const std::byte byte : instruction.code()) {
    switch (static_cast<unsigned char>(byte)) {
      case 0x26:  // es:
      case 0x2e:  // cs:, or "not taken"
      case 0x36:  // ss:
      case 0x3e:  // ds:, "taken" or notrack
        return true;
      case 0x64:
      case 0x65:
      case 0x66:
      case 0x67:
      case 0xf2:
      case 0xf3:
        continue;
      default:
        return false;
    }
  }
  return false;
}

constexpr bool is_between(unsigned value, unsigned first, unsigned last) {
  return value >= first && value <= last;
}

// By the bytes, as the kernel tells: any prefix makes another form of it.
bool is_emulated_form(const Instruction& instruction) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned>(instruction.bytes[index]); };
  switch (instruction.kind) {
    case InstructionKind::push:
      return (instruction.length == 1 && is_between(byte(0), 0x50, 0x57)) ||
             (instruction.length == 2 && byte(0) == 0x41 && is_between(byte(1), 0x50, 0x57));
    case InstructionKind::nop:
      return instruction.length == 1;
    case InstructionKind::jump:
      return byte(0) == 0xeb || byte(0) == 0xe9;
    case InstructionKind::branch:
      return is_between(byte(0), 0x70, 0x7f) || (byte(0) == 0x0f && is_between(byte(1), 0x80, 0x8f));
    case InstructionKind::call:
      return byte(0) == 0xe8;
    case InstructionKind::plain:
    case InstructionKind::ret:
    case InstructionKind::other:
      return false;
  }
  return false;
}

}  // namespace

Ruling rule_on(const Instruction& instruction) {
  if (is_emulated_form(instruction)) return {Handling::emulated, {}};
  // 0x90 behind REX.B exchanges rax and r8; kernels (6.18 measured) go by the opcode and skip it.
  if (instruction.kind == InstructionKind::plain && instruction.code().back() == std::byte{0x90} &&
      instruction.length <= 3 && instruction.writes == RegisterSet{Register::ax, Register::r8})
    return {Handling::forbidden, "kernels take it for a nop"};
  switch (instruction.kind) {
    case InstructionKind::plain:
    case InstructionKind::ret:
      break;
    case InstructionKind::nop:
      // Kernels from 6.18 on write a call over five bytes, which pushes onto the red zone.
      return {Handling::forbidden, "it is a nop of several bytes, which newer kernels replace by a call"};
    case InstructionKind::jump:
      if (instruction.target) return {Handling::forbidden, "it is a jump with a prefix"};
      break;
    case InstructionKind::push:
    case InstructionKind::branch:
      return {Handling::forbidden, "kernels do not emulate this form of it"};
    case InstructionKind::call:
      return {Handling::forbidden, "it is an indirect call or one with a prefix"};
    case InstructionKind::other:
      return {Handling::forbidden, "it is not known to be safe to run alone"};
  }
  if (has_segment_prefix(instruction)) return {Handling::forbidden, "kernels refuse its prefix"};
  if (!instruction.legacy) return {Handling::forbidden, "some kernels refuse its encoding"};
  return {Handling::stepped, {}};
}

}  // namespace connleak
