// SPDX-License-Identifier: Apache-2.0
#include "sites/instruction.hpp"

#include <algorithm>
#include <limits>

#include "sites/decoder.hpp"

namespace connleak {
namespace {

// What is not on this list is `other`: no probe slides over it and none is placed there.
bool is_plain(const Decoded& decoded) {
  switch (decoded.instruction.meta.category) {
    case ZYDIS_CATEGORY_BINARY:
    case ZYDIS_CATEGORY_BITBYTE:
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_CONVERT:
    case ZYDIS_CATEGORY_LOGICAL:
    case ZYDIS_CATEGORY_LOGICAL_FP:
    case ZYDIS_CATEGORY_ROTATE:
    case ZYDIS_CATEGORY_SETCC:
    case ZYDIS_CATEGORY_SHIFT:
      return true;
    case ZYDIS_CATEGORY_DATAXFER:  // not moves to or from segment, control and debug registers
      return std::ranges::none_of(decoded.all(), [](const ZydisDecodedOperand& operand) {
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) return false;
        const auto kind = ZydisRegisterGetClass(operand.reg.value);
        return kind == ZYDIS_REGCLASS_SEGMENT || kind == ZYDIS_REGCLASS_CONTROL || kind == ZYDIS_REGCLASS_DEBUG;
      });
    default:
      return decoded.instruction.mnemonic == ZYDIS_MNEMONIC_LEA ||
             decoded.instruction.mnemonic == ZYDIS_MNEMONIC_ENDBR64;
  }
}

bool is_near(const ZydisDecodedInstruction& instruction) {
  return instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT ||
         instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR;
}

InstructionKind kind_of(const Decoded& decoded) {
  const ZydisDecodedInstruction& instruction = decoded.instruction;
  if ((instruction.attributes & (ZYDIS_ATTRIB_HAS_LOCK | ZYDIS_ATTRIB_IS_PRIVILEGED)) != 0)
    return InstructionKind::other;
  switch (instruction.meta.category) {
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
      return InstructionKind::nop;
    case ZYDIS_CATEGORY_PUSH: {
      const ZydisDecodedOperand& pushed = decoded.operands[0];
      return pushed.visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT &&
                     pushed.type == ZYDIS_OPERAND_TYPE_REGISTER && general(pushed.reg.value)
                 ? InstructionKind::push
                 : InstructionKind::other;
    }
    case ZYDIS_CATEGORY_CALL:
      return is_near(instruction) ? InstructionKind::call : InstructionKind::other;
    case ZYDIS_CATEGORY_UNCOND_BR:
      return is_near(instruction) ? InstructionKind::jump : InstructionKind::other;
    case ZYDIS_CATEGORY_COND_BR:
      return instruction.mnemonic != ZYDIS_MNEMONIC_XBEGIN ? InstructionKind::branch : InstructionKind::other;
    case ZYDIS_CATEGORY_RET:
      return instruction.mnemonic == ZYDIS_MNEMONIC_RET && instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR
                 ? InstructionKind::ret
                 : InstructionKind::other;
    default:
      return is_plain(decoded) ? InstructionKind::plain : InstructionKind::other;
  }
}

bool is_frame(const ZydisDecodedOperandMem& memory) {
  return memory.base == ZYDIS_REGISTER_RSP && memory.index == ZYDIS_REGISTER_NONE;
}

bool is_register(const ZydisDecodedOperand& operand, ZydisRegister wanted) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.reg.value == wanted;
}

// add rsp, N; sub rsp, N; lea rsp, [rsp+N].
std::optional<std::int32_t> stack_move(const Decoded& decoded) {
  const auto& [instruction, operands] = decoded;
  if (instruction.operand_count_visible != 2 || !is_register(operands[0], ZYDIS_REGISTER_RSP)) return std::nullopt;
  std::int64_t bytes = 0;
  if (instruction.mnemonic == ZYDIS_MNEMONIC_LEA) {
    if (!is_frame(operands[1].mem)) return std::nullopt;
    bytes = operands[1].mem.disp.value;
  } else if (operands[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    return std::nullopt;
  } else if (instruction.mnemonic == ZYDIS_MNEMONIC_ADD) {
    bytes = operands[1].imm.value.s;
  } else if (instruction.mnemonic == ZYDIS_MNEMONIC_SUB) {
    bytes = -operands[1].imm.value.s;  // an immediate of 64-bit instructions has 32 bits
  } else {
    return std::nullopt;
  }
  if (bytes < std::numeric_limits<std::int32_t>::min() || bytes > std::numeric_limits<std::int32_t>::max())
    return std::nullopt;
  return static_cast<std::int32_t>(bytes);
}

void add_effects(const Decoded& decoded, Instruction& result) {
  for (const ZydisDecodedOperand& operand : decoded.all()) {
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative) {
      ZyanU64 target = 0;
      if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&decoded.instruction, &operand, result.address, &target)))
        result.target = target;
    }
    if (result.kind == InstructionKind::jump && operand.type == ZYDIS_OPERAND_TYPE_MEMORY)
      result.by_table = operand.mem.index != ZYDIS_REGISTER_NONE && operand.mem.scale == 8;
    // Whether a condition holds is not known here: a conditional write is a write.
    if ((operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) continue;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER) {
      if (const auto reg = general(operand.reg.value)) result.writes.add(*reg);
    } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && !is_frame(operand.mem)) {
      result.stores = true;
    }
  }
}

}  // namespace

std::string Instruction::text() const {
  const auto decoded = decode_operands(code());
  return decoded ? format(*decoded, address) : "?";
}

std::optional<Instruction> decode(std::span<const std::byte> bytes, std::uint64_t address) {
  const auto decoded = decode_operands(bytes);
  if (!decoded || decoded->instruction.length > kMaxInstruction) return std::nullopt;
  Instruction result;
  result.address = address;
  result.length = decoded->instruction.length;
  std::ranges::copy(bytes.first(result.length), result.bytes.begin());
  result.kind = kind_of(*decoded);
  result.legacy = decoded->instruction.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY;
  add_effects(*decoded, result);
  if (result.kind == InstructionKind::plain) result.moves_stack = stack_move(*decoded);
  return result;
}

}  // namespace connleak
