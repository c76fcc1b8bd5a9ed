// SPDX-License-Identifier: Apache-2.0
#include "unwind/frame_rules.hpp"

#include <dwarf.h>

#include <cstring>

namespace connleak {

namespace {

// Far more than any compiler writes (the linker's stubs take 8).
constexpr std::size_t kMaxDepth = 16;

struct Machine {
  const Registers& registers;
  const StackMemory& stack;
  std::optional<std::uint64_t> frame_address;
  std::array<std::uint64_t, kMaxDepth> values{};
  std::size_t depth = 0;

  bool push(std::optional<std::uint64_t> value) {
    if (!value || depth == kMaxDepth) return false;
    values[depth++] = *value;
    return true;
  }
  bool push_register(std::uint64_t number, std::uint64_t offset) {
    if (number >= kRegisters || !registers[number]) return false;
    return push(*registers[number] + offset);
  }
  template <class Operation>
  bool binary(Operation&& operation) {
    if (depth < 2) return false;
    --depth;
    values[depth - 1] = operation(values[depth - 1], values[depth]);
    return true;
  }
  bool step(const FrameOperation& operation);
};

bool Machine::step(const FrameOperation& operation) {
  const std::uint8_t atom = operation.atom;
  if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31)
    return push_register(static_cast<std::uint64_t>(atom - DW_OP_breg0), operation.number);
  if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) return push(static_cast<std::uint64_t>(atom - DW_OP_lit0));
  using Word = std::uint64_t;
  switch (atom) {
    case DW_OP_bregx:
      return push_register(operation.number, operation.number2);
    case DW_OP_const1u:
    case DW_OP_const1s:
    case DW_OP_const2u:
    case DW_OP_const2s:
    case DW_OP_const4u:
    case DW_OP_const4s:
    case DW_OP_const8u:
    case DW_OP_const8s:
    case DW_OP_constu:
    case DW_OP_consts:
      return push(operation.number);
    case DW_OP_call_frame_cfa:
      return push(frame_address);
    case DW_OP_dup:
      return depth > 0 && push(values[depth - 1]);
    case DW_OP_drop:
      return depth > 0 && depth-- > 0;
    case DW_OP_deref: {
      if (depth == 0) return false;
      const auto word = stack.word(values[--depth]);
      return push(word);
    }
    case DW_OP_plus_uconst:
      if (depth == 0) return false;
      values[depth - 1] += operation.number;
      return true;
    case DW_OP_plus:
      return binary([](Word a, Word b) { return a + b; });
    case DW_OP_minus:
      return binary([](Word a, Word b) { return a - b; });
    case DW_OP_mul:
      return binary([](Word a, Word b) { return a * b; });
    case DW_OP_and:
      return binary([](Word a, Word b) { return a & b; });
    case DW_OP_or:
      return binary([](Word a, Word b) { return a | b; });
    case DW_OP_xor:
      return binary([](Word a, Word b) { return a ^ b; });
    case DW_OP_shl:
      return binary([](Word a, Word b) { return b < 64 ? a << b : 0; });
    case DW_OP_shr:
      return binary([](Word a, Word b) { return b < 64 ? a >> b : 0; });
    case DW_OP_ge:
      return binary([](Word a, Word b) -> Word { return static_cast<std::int64_t>(a) >= static_cast<std::int64_t>(b); });
    case DW_OP_gt:
      return binary([](Word a, Word b) -> Word { return static_cast<std::int64_t>(a) > static_cast<std::int64_t>(b); });
    case DW_OP_le:
      return binary([](Word a, Word b) -> Word { return static_cast<std::int64_t>(a) <= static_cast<std::int64_t>(b); });
    case DW_OP_lt:
      return binary([](Word a, Word b) -> Word { return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b); });
    case DW_OP_eq:
      return binary([](Word a, Word b) -> Word { return a == b; });
    case DW_OP_ne:
      return binary([](Word a, Word b) -> Word { return a != b; });
    case DW_OP_nop:
      return true;
    default:
      return false;  // no compiler uses another one here; jumps could go round for ever
  }
}

std::optional<std::uint64_t> evaluate(const FrameRule& rule, std::optional<std::uint64_t> frame_address,
                                      const Registers& registers, const StackMemory& stack) {
  Machine machine{registers, stack, frame_address};
  for (const FrameOperation& operation : rule.operations)
    if (!machine.step(operation)) return std::nullopt;
  if (machine.depth == 0) return std::nullopt;
  return machine.values[machine.depth - 1];
}

std::optional<std::uint64_t> value_of(const FrameRule& rule, std::optional<std::uint64_t> own,
                                      std::optional<std::uint64_t> frame_address, const Registers& registers,
                                      const StackMemory& stack) {
  switch (rule.kind) {
    case FrameRule::Kind::undefined:
      return std::nullopt;
    case FrameRule::Kind::same:
      return own;
    case FrameRule::Kind::at_offset:
      return frame_address ? stack.word(*frame_address + static_cast<std::uint64_t>(rule.offset)) : std::nullopt;
    case FrameRule::Kind::register_offset:
      if (!registers[rule.base]) return std::nullopt;
      return *registers[rule.base] + static_cast<std::uint64_t>(rule.offset);
    case FrameRule::Kind::expression:
      return evaluate(rule, frame_address, registers, stack);
    case FrameRule::Kind::at_expression: {
      const auto at = evaluate(rule, frame_address, registers, stack);
      return at ? stack.word(*at) : std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> StackMemory::word(std::uint64_t at) const {
  std::uint64_t value = 0;
  if (at < address || bytes.size() < sizeof value || at - address > bytes.size() - sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data() + (at - address), sizeof value);
  return value;
}

std::optional<Registers> apply(const FrameRow& row, const Registers& registers, const StackMemory& stack) {
  const auto frame_address = value_of(row.frame_address, std::nullopt, std::nullopt, registers, stack);
  if (!frame_address) return std::nullopt;
  Registers caller;
  for (std::size_t number = 0; number < kRegisters; ++number)
    caller[number] = value_of(row.registers[number], registers[number], frame_address, registers, stack);
  caller[kReturnAddress] = row.return_address < kRegisters ? caller[row.return_address] : std::nullopt;
  // The ABI's: the canonical frame address is the caller's stack pointer, unless a rule says otherwise.
  if (row.registers[kSp].kind == FrameRule::Kind::same || row.registers[kSp].kind == FrameRule::Kind::undefined)
    caller[kSp] = frame_address;
  if (!caller[kReturnAddress] || !caller[kSp]) return std::nullopt;
  return caller;
}

}  // namespace connleak
