// SPDX-License-Identifier: Apache-2.0
#include "unwind/call_frames.hpp"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstdlib>

namespace connleak {

namespace {

// Programs of 500 MB have some 30 MB of it.
constexpr std::uint64_t kMaxBytes = std::uint64_t{128} << 20;
// A file's calls on the way to its sockets are some dozens; some 2 KiB each.
constexpr std::size_t kMaxRows = 4096;

std::vector<FrameOperation> copy(const Dwarf_Op* operations, std::size_t count) {
  std::vector<FrameOperation> copied;
  copied.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    copied.push_back({operations[i].atom, operations[i].number, operations[i].number2});
  return copied;
}

FrameRule frame_address_rule(Dwarf_Frame* frame) {
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  FrameRule rule;
  if (dwarf_frame_cfa(frame, &operations, &count) != 0 || count == 0) return rule;
  const Dwarf_Op& first = operations[0];
  if (count == 1 && first.atom >= DW_OP_breg0 && first.atom < DW_OP_breg0 + kRegisters) {
    rule.kind = FrameRule::Kind::register_offset;
    rule.base = static_cast<std::uint8_t>(first.atom - DW_OP_breg0);
    rule.offset = static_cast<std::int64_t>(first.number);
    return rule;
  }
  rule.kind = FrameRule::Kind::expression;
  rule.operations = copy(operations, count);
  return rule;
}

FrameRule register_rule(Dwarf_Frame* frame, int number) {
  Dwarf_Op place[3];
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  FrameRule rule;
  if (dwarf_frame_register(frame, number, place, &operations, &count) != 0) return rule;
  if (count == 0) {
    // So libdw tells them apart.
    rule.kind = operations == nullptr ? FrameRule::Kind::same : FrameRule::Kind::undefined;
    return rule;
  }
  if (operations[0].atom == DW_OP_call_frame_cfa &&
      (count == 1 || (count == 2 && operations[1].atom == DW_OP_plus_uconst))) {
    rule.kind = FrameRule::Kind::at_offset;
    rule.offset = count == 2 ? static_cast<std::int64_t>(operations[1].number) : 0;
    return rule;
  }
  const bool is_short = operations[0].atom >= DW_OP_reg0 && operations[0].atom < DW_OP_reg0 + kRegisters;
  if (count == 1 && (is_short || (operations[0].atom == DW_OP_regx && operations[0].number < kRegisters))) {
    rule.kind = FrameRule::Kind::register_offset;
    rule.base = static_cast<std::uint8_t>(is_short ? operations[0].atom - DW_OP_reg0 : operations[0].number);
    return rule;
  }
  const bool is_value = operations[count - 1].atom == DW_OP_stack_value;
  rule.kind = is_value ? FrameRule::Kind::expression : FrameRule::Kind::at_expression;
  rule.operations = copy(operations, is_value ? count - 1 : count);
  return rule;
}

}  // namespace

CallFrames::CallFrames(const ElfImage& image) {
  constexpr std::uint16_t kX86_64 = 62;  // EM_X86_64
  if (!image.is_64_bit_little_endian() || image.machine() != kX86_64) return;
  const auto section = image.section(".eh_frame");
  if (section && section->size > kMaxBytes) return;
  table_ = dwarf_getcfi_elf(image.handle());
}

CallFrames::~CallFrames() {
  if (table_ != nullptr) dwarf_cfi_end(table_);
}

const FrameRow* CallFrames::row(std::uint64_t address) {
  if (table_ == nullptr) return nullptr;
  if (const auto known = rows_.find(address); known != rows_.end()) return known->second.get();
  if (rows_.size() >= kMaxRows) rows_.clear();
  auto& row = rows_[address];
  Dwarf_Frame* frame = nullptr;
  if (dwarf_cfi_addrframe(table_, address, &frame) != 0) return nullptr;
  row = std::make_unique<FrameRow>();
  bool is_signal = false;
  const int column = dwarf_frame_info(frame, nullptr, nullptr, &is_signal);
  row->is_signal_frame = is_signal;
  row->return_address = column >= 0 && column < static_cast<int>(kRegisters) ? static_cast<std::uint8_t>(column)
                                                                            : static_cast<std::uint8_t>(kRegisters);
  row->frame_address = frame_address_rule(frame);
  for (std::size_t number = 0; number < kRegisters; ++number)
    row->registers[number] = register_rule(frame, static_cast<int>(number));
  std::free(frame);
  return row.get();
}

}  // namespace connleak
