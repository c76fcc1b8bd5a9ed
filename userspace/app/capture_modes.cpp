// SPDX-License-Identifier: Apache-2.0
#include "app/capture_modes.hpp"

#include <algorithm>

#include "interpreters/process_memory.hpp"

namespace connleak {

namespace {

// An interpreter opens its first connection long after it is ready, but a process may be seen before.
constexpr int kMaxLooks = 4;
// As many as the symbolizer remembers.
constexpr std::size_t kMaxProcesses = 4096;

}  // namespace

void CaptureModes::process_seen(std::uint32_t pid, std::uint64_t start_ns) {
  if (processes_.size() >= kMaxProcesses) processes_.clear();
  const Key key{pid, start_ns};
  Process& process = processes_[key];
  if (process.flags != 0 || process.is_flat || process.looks >= kMaxLooks) return;
  ++process.looks;
  const auto files = symbolizer_.files(pid, start_ns);
  const auto is_go = [](const LoadedFile& file) { return file.module->image().is_executable() && file.module->is_go(); };
  if (std::ranges::any_of(files, is_go)) {
    process.flags = FRAMES_WALKED;
    tell(key, process);
    return;
  }
  std::vector<MappedFile> mapped;
  mapped.reserve(files.size());
  for (const LoadedFile& file : files)
    mapped.push_back({file.path, file.bias, &file.module->image(), file.module->debug_image()});
  process.memory = std::make_unique<ProcessMemory>(static_cast<pid_t>(pid));
  FoundInterpreter found = find_interpreter(mapped, *process.memory);
  process.interpreter = std::move(found.interpreter);
  process.why_not = std::move(found.why_not);
  if (!process.interpreter) return;
  process.flags = FRAMES_SCRIPT;
  tell(key, process);
}

void CaptureModes::process_replaced(std::uint32_t pid, std::uint64_t start_ns) {
  processes_.erase({pid, start_ns});
  tell_(pid, frame_layout{});
}

void CaptureModes::process_gone(std::uint32_t pid, std::uint64_t start_ns) { processes_.erase({pid, start_ns}); }

void CaptureModes::deepen(std::uint32_t pid, std::uint64_t start_ns) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || known->second.flags != 0 || known->second.is_flat) return;
  known->second.flags = FRAMES_DEEP;
  tell(known->first, known->second);
}

void CaptureModes::flatten(std::uint32_t pid, std::uint64_t start_ns) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || known->second.flags != FRAMES_DEEP) return;
  known->second.flags = 0;
  known->second.is_flat = true;
  tell(known->first, known->second);
}

void CaptureModes::tell(const Key& key, const Process& process) {
  frame_layout layout = process.interpreter ? process.interpreter->layout() : frame_layout{};
  layout.flags |= process.flags;
  tell_(key.pid, layout);
}

std::vector<SymbolFrame> CaptureModes::name(std::uint32_t pid, std::uint64_t start_ns,
                                            std::span<const script_frame> frames) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || !known->second.interpreter) return {};
  return known->second.interpreter->name(*known->second.memory, frames);
}

}  // namespace connleak
