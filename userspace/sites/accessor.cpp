// SPDX-License-Identifier: Apache-2.0
#include "sites/accessor.hpp"

#include <algorithm>

#include "sites/decoder.hpp"

namespace connleak {
namespace {

constexpr std::uint64_t kMaxBytes = 64;  // three times PQsocket's, with endbr64 and a frame

bool is_register(const ZydisDecodedOperand& operand, Register wanted, int bits = 0) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && general(operand.reg.value) == wanted &&
         (bits == 0 || operand.size == bits);
}

// mov eax, [rdi+N]
std::optional<Accessor> load(const Decoded& decoded) {
  const auto operands = decoded.written();
  if (decoded.instruction.mnemonic != ZYDIS_MNEMONIC_MOV || !is_register(operands[0], Register::ax) ||
      operands[1].type != ZYDIS_OPERAND_TYPE_MEMORY)
    return std::nullopt;
  const ZydisDecodedOperandMem& memory = operands[1].mem;
  if (memory.base != ZYDIS_REGISTER_RDI || memory.index != ZYDIS_REGISTER_NONE ||
      memory.segment != ZYDIS_REGISTER_DS || memory.disp.value < 0 || memory.disp.value > (1 << 20))
    return std::nullopt;
  if (operands[0].size != 32 && operands[0].size != 64) return std::nullopt;
  return Accessor{static_cast<std::int32_t>(memory.disp.value), static_cast<std::uint8_t>(operands[0].size / 8)};
}

// What leaves the argument and the object as they are and decides nothing but whether there is one: the null test,
// a constant result, a frame.
bool is_harmless(const Decoded& decoded, const Instruction& instruction, const FunctionRange& function) {
  const auto operands = decoded.written();
  switch (instruction.kind) {
    case InstructionKind::nop:
    case InstructionKind::ret:
      return true;
    case InstructionKind::push:
      return is_register(operands[0], Register::bp);
    case InstructionKind::branch:
      return (decoded.instruction.mnemonic == ZYDIS_MNEMONIC_JZ ||
              decoded.instruction.mnemonic == ZYDIS_MNEMONIC_JNZ) &&
             function.contains(*instruction.target);
    case InstructionKind::plain:
    case InstructionKind::jump:
    case InstructionKind::call:
    case InstructionKind::other:
      break;
  }
  switch (decoded.instruction.mnemonic) {
    case ZYDIS_MNEMONIC_ENDBR64:
      return true;
    case ZYDIS_MNEMONIC_TEST:
      return is_register(operands[0], Register::di, 64) && is_register(operands[1], Register::di, 64);
    case ZYDIS_MNEMONIC_XOR:
      return is_register(operands[0], Register::ax) && is_register(operands[1], Register::ax);
    case ZYDIS_MNEMONIC_OR:  // all ones
    case ZYDIS_MNEMONIC_MOV:
      return (is_register(operands[0], Register::ax) && operands[1].type == ZYDIS_OPERAND_TYPE_IMMEDIATE) ||
             (is_register(operands[0], Register::bp) && is_register(operands[1], Register::sp));
    case ZYDIS_MNEMONIC_POP:
      return is_register(operands[0], Register::bp);
    default:
      return false;
  }
}

}  // namespace

std::optional<Accessor> accessor_offset(const ElfImage& image, const FunctionRange& function) {
  if (function.size > kMaxBytes) return std::nullopt;
  const auto code = Code::read(image, function);
  if (!code) return std::nullopt;
  std::optional<Accessor> found;
  bool loaded = false;  // by the instruction before, or only the frame has been undone since
  for (const Instruction& instruction : code->instructions()) {
    const auto decoded = decode_operands(instruction.code());
    if (!decoded) return std::nullopt;
    if (const auto accessor = load(*decoded)) {
      if (found) return std::nullopt;
      found = accessor;
      loaded = true;
      continue;
    }
    if (!is_harmless(*decoded, instruction, function)) return std::nullopt;
    // What was loaded is what is returned.
    if (loaded && instruction.kind != InstructionKind::ret && !instruction.writes.contains(Register::bp))
      return std::nullopt;
    loaded = loaded && instruction.kind != InstructionKind::ret;
  }
  return loaded ? std::nullopt : found;
}

}  // namespace connleak
