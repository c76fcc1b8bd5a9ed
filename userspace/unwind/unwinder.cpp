// SPDX-License-Identifier: Apache-2.0
#include "unwind/unwinder.hpp"

#include <algorithm>
#include <span>

namespace connleak {

namespace {

Registers registers_of(const captured& stack) {
  Registers registers;
  registers[kBx] = stack.registers[CAPTURE_BX];
  registers[kBp] = stack.registers[CAPTURE_BP];
  registers[kSp] = stack.registers[CAPTURE_SP];
  for (std::size_t i = 0; i < 4; ++i) registers[kR12 + i] = stack.registers[CAPTURE_R12 + i];
  registers[kDi] = stack.registers[CAPTURE_DI];
  registers[kReturnAddress] = stack.registers[CAPTURE_IP];
  return registers;
}

// Of code that keeps the frame pointer and says nothing else of its frames: generated code, for one.
std::optional<Registers> by_frame_pointer(const Registers& registers, StackMemory& stack) {
  if (!registers[kBp]) return std::nullopt;
  Registers caller = registers;
  caller[kBp] = stack.word(*registers[kBp]);
  caller[kReturnAddress] = stack.word(*registers[kBp] + 8);
  caller[kSp] = *registers[kBp] + 16;
  if (!caller[kReturnAddress]) return std::nullopt;
  return caller;
}

}  // namespace

const FrameRow* Unwinder::row_at(const CodePlace& code) {
  if (!code.module) return nullptr;
  auto [known, is_new] = files_.try_emplace(code.module.get());
  File& file = known->second;
  if (is_new) {
    file.module = code.module;
    file.frames = std::make_unique<CallFrames>(code.module->image());
  }
  file.last_use = now_;
  const std::size_t before = is_new ? 0 : file.frames->memory_bytes();
  const FrameRow* row = file.frames->row(code.link_address);
  bytes_ = bytes_ - before + file.frames->memory_bytes();
  return row;
}

void Unwinder::forget_some() {
  while (files_.size() > 1 && (files_.size() > limits_.files || bytes_ > limits_.bytes)) {
    const auto oldest =
        std::ranges::min_element(files_, {}, [](const auto& entry) { return entry.second.last_use; });
    bytes_ -= oldest->second.frames->memory_bytes();
    files_.erase(oldest);
  }
}

UnwoundStack Unwinder::unwind(std::uint32_t pid, std::uint64_t start_ns, const capture& captured) {
  UnwoundStack found;
  if (captured.stack.form != CAPTURE_RAW) return found;
  ++now_;
  ++stats_.stacks;
  Registers registers = registers_of(captured.stack);
  const auto bytes_of = [](const ::captured& piece) {
    return std::as_bytes(std::span(piece.data, std::min<std::size_t>(piece.size, CAPTURE_BYTES)));
  };
  const auto bytes = bytes_of(captured.stack);
  StackMemory memory(*registers[kSp], bytes);
  found.is_deep = captured.header.size > CAPTURE_SHORT;
  if (found.is_deep) memory.add(captured.rest.registers[CAPTURE_SP], bytes_of(captured.rest));
  // Less than was asked for ends where the stack does.
  const bool is_full = bytes.size() == CAPTURE_BYTES;
  bool is_return_address = false;
  while (found.addresses.size() < WIRE_FRAMES) {
    const std::uint64_t address = registers[kReturnAddress].value_or(0);
    // A call at the end of a function returns to behind it.
    const std::uint64_t wanted = address - (is_return_address ? 1 : 0);
    const auto code = address != 0 ? symbolizer_.code_at(pid, start_ns, wanted) : std::nullopt;
    if (!code) break;
    found.addresses.push_back(address);
    const FrameRow* row = row_at(*code);
    if (row != nullptr && row->is_outermost()) break;
    auto caller = row != nullptr ? apply(*row, registers, memory) : by_frame_pointer(registers, memory);
    if (!caller) {
      if (is_full)
        found.cut_at = memory.lowest_missed() - (memory.missed_above() ? captured.stack.registers[CAPTURE_SP] : 0);
      break;
    }
    // Stacks grow down: a caller's frame lies above, or begins here where the innermost function has none of its
    // own (vfork). Else it would go round.
    const bool is_innermost = found.addresses.size() == 1;
    if (*caller->values[kSp] < *registers[kSp] || (*caller->values[kSp] == *registers[kSp] && !is_innermost))
      break;
    is_return_address = row == nullptr || !row->is_signal_frame;
    registers = *caller;
  }
  if (found.cut_at != 0) ++stats_.cut;
  forget_some();
  return found;
}

}  // namespace connleak
