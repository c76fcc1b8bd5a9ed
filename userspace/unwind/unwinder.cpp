// SPDX-License-Identifier: Apache-2.0
#include "unwind/unwinder.hpp"

#include <algorithm>
#include <span>

namespace connleak {

namespace {

// Tables of the libraries and programs between a call and its socket, for a few dozen programs; some MB each. They keep
// their files open.
constexpr std::size_t kMaxFiles = 128;

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
std::optional<Registers> by_frame_pointer(const Registers& registers, const StackMemory& stack) {
  if (!registers[kBp]) return std::nullopt;
  Registers caller = registers;
  caller[kBp] = stack.word(*registers[kBp]);
  caller[kReturnAddress] = stack.word(*registers[kBp] + 8);
  caller[kSp] = *registers[kBp] + 16;
  if (!caller[kReturnAddress]) return std::nullopt;
  return caller;
}

}  // namespace

CallFrames& Unwinder::frames_of(const std::shared_ptr<const Module>& module) {
  auto [known, is_new] = files_.try_emplace(module.get());
  if (is_new) {
    if (files_.size() > kMaxFiles) {
      const auto oldest = std::ranges::min_element(files_, {}, [&](const auto& entry) {
        return entry.first == module.get() ? ~std::uint64_t{0} : entry.second.last_use;
      });
      files_.erase(oldest);
    }
    known->second.module = module;
    known->second.frames = std::make_unique<CallFrames>(module->image());
  }
  known->second.last_use = now_;
  return *known->second.frames;
}

UnwoundStack Unwinder::unwind(std::uint32_t pid, std::uint64_t start_ns, const capture& captured) {
  UnwoundStack found;
  if (captured.stack.form != CAPTURE_RAW) return found;
  ++now_;
  ++stats_.stacks;
  Registers registers = registers_of(captured.stack);
  // `rest` follows `data` without a gap.
  const auto* bytes = reinterpret_cast<const std::byte*>(&captured) + offsetof(capture, stack.data);
  const StackMemory memory{*registers[kSp],
                           std::span(bytes, std::min<std::size_t>(captured.stack.size, 2 * CAPTURE_BYTES))};
  const std::uint64_t end = memory.address + memory.bytes.size();
  bool is_return_address = false;
  while (found.addresses.size() < WIRE_FRAMES) {
    const std::uint64_t address = registers[kReturnAddress].value_or(0);
    const std::uint64_t sp = *registers[kSp];
    // A call at the end of a function returns to behind it.
    const std::uint64_t wanted = address - (is_return_address ? 1 : 0);
    const auto code = address != 0 ? symbolizer_.code_at(pid, start_ns, wanted) : std::nullopt;
    if (!code) break;
    found.addresses.push_back(address);
    const FrameRow* row = code->module ? frames_of(code->module).row(code->link_address) : nullptr;
    // The outermost frame says that it has no caller.
    if (row != nullptr && row->return_address < kRegisters &&
        row->registers[row->return_address].kind == FrameRule::Kind::undefined)
      return found;
    auto caller = row != nullptr ? apply(*row, registers, memory) : by_frame_pointer(registers, memory);
    // Stacks grow down: a caller's frame lies above, or begins here where the innermost function has none of its own
    // (vfork). Else it would go round.
    const bool is_innermost = found.addresses.size() == 1;
    if (!caller || *caller->values[kSp] < sp || (*caller->values[kSp] == sp && !is_innermost)) {
      found.is_cut = !caller && captured.stack.size >= CAPTURE_BYTES && sp < end;
      break;
    }
    is_return_address = row == nullptr || !row->is_signal_frame;
    registers = *caller;
  }
  if (found.is_cut) ++stats_.cut;
  return found;
}

}  // namespace connleak
