// SPDX-License-Identifier: Apache-2.0
#include "unwind/frame_rules.hpp"

#include <dwarf.h>

#include <cstring>

#include "unwind/cursor.hpp"

namespace connleak {

namespace {

// Far more than any compiler writes (the linker's stubs take 8).
constexpr std::size_t kMaxDepth = 16;

class Machine {
 public:
  Machine(std::span<const std::byte> expression, std::optional<std::uint64_t> frame_address,
          const Registers& registers, StackMemory& stack)
      : cursor_(expression), frame_address_(frame_address), registers_(registers), stack_(stack) {
    // A register's expression finds it there (DWARF 5, 6.4.2.3); the one that gives it finds nothing.
    push(frame_address);
  }

  // What is on top at the end.
  std::optional<std::uint64_t> run() {
    while (cursor_.left() > 0) {
      if (!step(cursor_.number<std::uint8_t>()) || !cursor_.is_good()) return std::nullopt;
    }
    if (depth_ == 0) return std::nullopt;
    return values_[depth_ - 1];
  }

 private:
  bool push(std::optional<std::uint64_t> value) {
    if (!value || depth_ == kMaxDepth) return false;
    values_[depth_++] = *value;
    return true;
  }
  template <class T>
  bool push_constant() {
    return push(static_cast<std::uint64_t>(std::int64_t{cursor_.number<T>()}));
  }
  bool push_register(std::uint64_t number) {
    const auto offset = static_cast<std::uint64_t>(cursor_.signed_leb());
    if (number >= kRegisters || !registers_[number]) return false;
    return push(*registers_[number] + offset);
  }
  template <class Operation>
  bool binary(Operation&& operation) {
    if (depth_ < 2) return false;
    --depth_;
    values_[depth_ - 1] = operation(values_[depth_ - 1], values_[depth_]);
    return true;
  }
  bool step(std::uint8_t atom);

  Cursor cursor_;
  std::optional<std::uint64_t> frame_address_;
  const Registers& registers_;
  StackMemory& stack_;
  std::array<std::uint64_t, kMaxDepth> values_{};
  std::size_t depth_ = 0;
};

bool Machine::step(std::uint8_t atom) {
  using Word = std::uint64_t;
  using Number = std::int64_t;
  if (atom >= DW_OP_breg0 && atom <= DW_OP_breg31) return push_register(static_cast<Word>(atom - DW_OP_breg0));
  if (atom >= DW_OP_lit0 && atom <= DW_OP_lit31) return push(static_cast<Word>(atom - DW_OP_lit0));
  switch (atom) {
    case DW_OP_bregx:
      return push_register(cursor_.unsigned_leb());
    case DW_OP_const1u:
      return push_constant<std::uint8_t>();
    case DW_OP_const1s:
      return push_constant<std::int8_t>();
    case DW_OP_const2u:
      return push_constant<std::uint16_t>();
    case DW_OP_const2s:
      return push_constant<std::int16_t>();
    case DW_OP_const4u:
      return push_constant<std::uint32_t>();
    case DW_OP_const4s:
      return push_constant<std::int32_t>();
    case DW_OP_const8u:
    case DW_OP_const8s:
      return push_constant<std::int64_t>();
    case DW_OP_constu:
      return push(cursor_.unsigned_leb());
    case DW_OP_consts:
      return push(static_cast<Word>(cursor_.signed_leb()));
    case DW_OP_call_frame_cfa:
      return push(frame_address_);
    case DW_OP_dup:
      return depth_ > 0 && push(values_[depth_ - 1]);
    case DW_OP_drop:
      if (depth_ == 0) return false;
      --depth_;
      return true;
    case DW_OP_deref:
      if (depth_ == 0) return false;
      --depth_;
      return push(stack_.word(values_[depth_]));
    case DW_OP_plus_uconst:
      if (depth_ == 0) return false;
      values_[depth_ - 1] += cursor_.unsigned_leb();
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
      return binary([](Word a, Word b) -> Word { return static_cast<Number>(a) >= static_cast<Number>(b); });
    case DW_OP_gt:
      return binary([](Word a, Word b) -> Word { return static_cast<Number>(a) > static_cast<Number>(b); });
    case DW_OP_le:
      return binary([](Word a, Word b) -> Word { return static_cast<Number>(a) <= static_cast<Number>(b); });
    case DW_OP_lt:
      return binary([](Word a, Word b) -> Word { return static_cast<Number>(a) < static_cast<Number>(b); });
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

// One rule after the other of a row.
class Row {
 public:
  Row(const FrameRow& row, const Registers& registers, StackMemory& stack)
      : row_(row), registers_(registers), stack_(stack) {}

  std::optional<std::uint64_t> value(const FrameRule& rule, std::optional<std::uint64_t> own) {
    const auto offset = static_cast<std::uint64_t>(rule.offset);
    switch (rule.kind) {
      case FrameRule::Kind::undefined:
        return std::nullopt;
      case FrameRule::Kind::same:
        return own;
      case FrameRule::Kind::at_offset:
        return frame_address ? stack_.word(*frame_address + offset) : std::nullopt;
      case FrameRule::Kind::frame_offset:
        return frame_address ? std::optional(*frame_address + offset) : std::nullopt;
      case FrameRule::Kind::register_offset:
        return registers_[rule.base] ? std::optional(*registers_[rule.base] + offset) : std::nullopt;
      case FrameRule::Kind::expression:
        return evaluate(rule);
      case FrameRule::Kind::at_expression: {
        const auto at = evaluate(rule);
        return at ? stack_.word(*at) : std::nullopt;
      }
    }
    return std::nullopt;
  }

  std::optional<std::uint64_t> frame_address;

 private:
  std::optional<std::uint64_t> evaluate(const FrameRule& rule) {
    const auto begin = static_cast<std::size_t>(rule.offset);
    if (begin > row_.expressions.size() || rule.size > row_.expressions.size() - begin) return std::nullopt;
    return Machine(std::span(row_.expressions).subspan(begin, rule.size), frame_address, registers_, stack_).run();
  }

  const FrameRow& row_;
  const Registers& registers_;
  StackMemory& stack_;
};

}  // namespace

namespace {

std::optional<std::uint64_t> word_of(std::span<const std::byte> bytes, std::uint64_t offset) {
  std::uint64_t value = 0;
  if (bytes.size() < sizeof value || offset > bytes.size() - sizeof value) return std::nullopt;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

}  // namespace

std::optional<std::uint64_t> StackMemory::word(std::uint64_t at) {
  // The kernel side captures nothing of a stack that ends further away.
  constexpr std::uint64_t kReach = std::uint64_t{64} << 20;
  if (at < address_) return std::nullopt;
  if (const auto value = word_of(bytes_, at - address_)) return value;
  if (at >= higher_address_)
    if (const auto value = word_of(higher_, at - higher_address_)) return value;
  if (at - address_ < kReach && (lowest_missed_ == 0 || at < lowest_missed_)) lowest_missed_ = at;
  return std::nullopt;
}

std::optional<Registers> apply(const FrameRow& row, const Registers& registers, StackMemory& stack) {
  Row rules(row, registers, stack);
  rules.frame_address = rules.value(row.frame_address, std::nullopt);
  if (!rules.frame_address) return std::nullopt;
  Registers caller;
  for (std::size_t number = 0; number < kRegisters; ++number)
    caller[number] = rules.value(row.registers[number], registers[number]);
  caller[kReturnAddress] = row.return_address < kRegisters ? caller[row.return_address] : std::nullopt;
  // The ABI's: the canonical frame address is the caller's stack pointer, unless a rule says otherwise.
  const FrameRule::Kind sp = row.registers[kSp].kind;
  if (sp == FrameRule::Kind::same || sp == FrameRule::Kind::undefined) caller[kSp] = rules.frame_address;
  if (!caller[kReturnAddress] || !caller[kSp]) return std::nullopt;
  return caller;
}

}  // namespace connleak
