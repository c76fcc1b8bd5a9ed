// SPDX-License-Identifier: Apache-2.0
#include "unwind/frame_program.hpp"

#include <dwarf.h>

#include <algorithm>
#include <array>
#include <vector>

#include "unwind/cursor.hpp"

namespace connleak {

namespace {

using Kind = FrameRule::Kind;

constexpr std::size_t kMaxRemembered = 32;
// The linker's stubs have 11 bytes; a signal's frame in libc some 60.
constexpr std::size_t kMaxExpressions = 1024;

struct State {
  FrameRule frame_address;
  std::array<FrameRule, kRegisters> registers;
};

// Preserved by calls, by the ABI; of others nobody knows.
State untouched() {
  State state;
  for (const std::size_t number : {kBx, kBp, kR12, kR12 + 1, kR12 + 2, kR12 + 3})
    state.registers[number].kind = Kind::same;
  return state;
}

class Program {
 public:
  Program(const FrameEntry& entry, std::uint64_t address)
      : entry_(entry), wanted_(address), location_(entry.start), state_(untouched()) {}

  // False: it cannot be run.
  bool run(std::span<const std::byte> program, const State* initial) {
    Cursor cursor(program);
    while (cursor.left() > 0 && location_ <= wanted_) {
      if (!step(cursor, initial) || !cursor.is_good()) return false;
    }
    return true;
  }

  [[nodiscard]] const State& state() const { return state_; }

 private:
  void set(std::uint64_t number, FrameRule rule) {
    if (number < kRegisters) state_.registers[number] = rule;
  }
  void set_at(std::uint64_t number, Kind kind, std::uint64_t factor) {
    set(number, {kind, 0, 0, static_cast<std::int64_t>(factor * static_cast<std::uint64_t>(entry_.data_factor))});
  }
  // Rules name their bytes by the offset in the entry's until the row is made.
  std::optional<FrameRule> expression(Cursor& cursor, Kind kind) const {
    const auto bytes = cursor.take(cursor.unsigned_leb());
    if (bytes.empty() || bytes.size() > kMaxExpressions) return std::nullopt;
    return FrameRule{kind, 0, static_cast<std::uint16_t>(bytes.size()), bytes.data() - entry_.bytes.data()};
  }
  bool set_expression(Cursor& cursor, Kind kind) {
    const std::uint64_t number = cursor.unsigned_leb();
    const auto rule = expression(cursor, kind);
    if (rule) set(number, *rule);
    return rule.has_value();
  }
  bool frame_register(std::uint64_t number, std::int64_t offset) {
    if (number >= kRegisters) return false;
    state_.frame_address = {Kind::register_offset, static_cast<std::uint8_t>(number), 0, offset};
    return true;
  }
  bool frame_offset(std::int64_t offset) {
    if (state_.frame_address.kind != Kind::register_offset) return false;
    state_.frame_address.offset = offset;
    return true;
  }
  std::int64_t factored(std::int64_t offset) const {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(offset) *
                                     static_cast<std::uint64_t>(entry_.data_factor));
  }
  void restore(std::uint64_t number, const State* initial) {
    if (initial != nullptr && number < kRegisters) state_.registers[number] = initial->registers[number];
  }
  bool step(Cursor& cursor, const State* initial);
  bool extended_step(std::uint8_t code, Cursor& cursor, const State* initial);

  const FrameEntry& entry_;
  std::uint64_t wanted_;
  std::uint64_t location_;
  State state_;
  std::vector<State> remembered_;
};

bool Program::step(Cursor& cursor, const State* initial) {
  const auto code = cursor.number<std::uint8_t>();
  const std::uint8_t low = code & 0x3f;
  switch (code & 0xc0) {
    case DW_CFA_advance_loc:
      location_ += low * entry_.code_factor;
      return true;
    case DW_CFA_offset:
      set_at(low, Kind::at_offset, cursor.unsigned_leb());
      return true;
    case DW_CFA_restore:
      restore(low, initial);
      return true;
    default:
      return extended_step(code, cursor, initial);
  }
}

bool Program::extended_step(std::uint8_t code, Cursor& cursor, const State* initial) {
  switch (code) {
    case DW_CFA_nop:
      return true;
    case DW_CFA_advance_loc1:
      location_ += cursor.number<std::uint8_t>() * entry_.code_factor;
      return true;
    case DW_CFA_advance_loc2:
      location_ += cursor.number<std::uint16_t>() * entry_.code_factor;
      return true;
    case DW_CFA_advance_loc4:
      location_ += cursor.number<std::uint32_t>() * entry_.code_factor;
      return true;
    case DW_CFA_offset_extended: {
      const std::uint64_t number = cursor.unsigned_leb();
      set_at(number, Kind::at_offset, cursor.unsigned_leb());
      return true;
    }
    case DW_CFA_offset_extended_sf: {
      const std::uint64_t number = cursor.unsigned_leb();
      set_at(number, Kind::at_offset, static_cast<std::uint64_t>(cursor.signed_leb()));
      return true;
    }
    case DW_CFA_val_offset: {
      const std::uint64_t number = cursor.unsigned_leb();
      set_at(number, Kind::frame_offset, cursor.unsigned_leb());
      return true;
    }
    case DW_CFA_val_offset_sf: {
      const std::uint64_t number = cursor.unsigned_leb();
      set_at(number, Kind::frame_offset, static_cast<std::uint64_t>(cursor.signed_leb()));
      return true;
    }
    case DW_CFA_restore_extended:
      restore(cursor.unsigned_leb(), initial);
      return true;
    case DW_CFA_undefined:
      set(cursor.unsigned_leb(), {});
      return true;
    case DW_CFA_same_value:
      set(cursor.unsigned_leb(), {Kind::same, 0, 0, 0});
      return true;
    case DW_CFA_register: {
      const std::uint64_t number = cursor.unsigned_leb();
      const std::uint64_t holder = cursor.unsigned_leb();
      if (holder >= kRegisters) return false;
      set(number, {Kind::register_offset, static_cast<std::uint8_t>(holder), 0, 0});
      return true;
    }
    case DW_CFA_expression:
      return set_expression(cursor, Kind::at_expression);
    case DW_CFA_val_expression:
      return set_expression(cursor, Kind::expression);
    case DW_CFA_remember_state:
      if (remembered_.size() >= kMaxRemembered) return false;
      remembered_.push_back(state_);
      return true;
    case DW_CFA_restore_state:
      if (remembered_.empty()) return false;
      state_ = remembered_.back();
      remembered_.pop_back();
      return true;
    case DW_CFA_def_cfa: {
      const std::uint64_t number = cursor.unsigned_leb();
      return frame_register(number, static_cast<std::int64_t>(cursor.unsigned_leb()));
    }
    case DW_CFA_def_cfa_sf: {
      const std::uint64_t number = cursor.unsigned_leb();
      return frame_register(number, factored(cursor.signed_leb()));
    }
    case DW_CFA_def_cfa_register:
      return state_.frame_address.kind == Kind::register_offset &&
             frame_register(cursor.unsigned_leb(), state_.frame_address.offset);
    case DW_CFA_def_cfa_offset:
      return frame_offset(static_cast<std::int64_t>(cursor.unsigned_leb()));
    case DW_CFA_def_cfa_offset_sf:
      return frame_offset(factored(cursor.signed_leb()));
    case DW_CFA_def_cfa_expression: {
      const auto rule = expression(cursor, Kind::expression);
      if (rule) state_.frame_address = *rule;
      return rule.has_value();
    }
    case DW_CFA_GNU_args_size:
      cursor.unsigned_leb();
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<FrameRow> row_at(const FrameEntry& entry, std::uint64_t address) {
  Program program(entry, address);
  if (!program.run(entry.common(), nullptr)) return std::nullopt;
  const State initial = program.state();
  if (!program.run(entry.own(), &initial)) return std::nullopt;
  FrameRow row;
  row.frame_address = program.state().frame_address;
  row.registers = program.state().registers;
  row.return_address = static_cast<std::uint8_t>(std::min<std::uint64_t>(entry.return_address, kRegisters));
  row.is_signal_frame = entry.is_signal_frame;
  const auto keep = [&](FrameRule& rule) {
    if (rule.kind != Kind::expression && rule.kind != Kind::at_expression) return true;
    if (row.expressions.size() + rule.size > kMaxExpressions) return false;
    const auto bytes = std::span(entry.bytes).subspan(static_cast<std::size_t>(rule.offset), rule.size);
    rule.offset = static_cast<std::int64_t>(row.expressions.size());
    row.expressions.insert(row.expressions.end(), bytes.begin(), bytes.end());
    return true;
  };
  if (!keep(row.frame_address)) return std::nullopt;
  for (FrameRule& rule : row.registers)
    if (!keep(rule)) return std::nullopt;
  return row;
}

}  // namespace connleak
