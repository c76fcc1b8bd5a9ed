// SPDX-License-Identifier: Apache-2.0
#include "app/capture_modes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/process_memory.hpp"
#include "symbols/perf_map.hpp"
#include "symbols/process_files.hpp"

namespace connleak {

namespace {

// An interpreter opens its first connection long after it is ready, but a process is seen before: on a busy
// machine it starts for seconds.
constexpr int kMaxLooks = 80;
// A thread of a library may come first.
constexpr int kDeepTried = 8;
// What another path through the same libraries wants may lie a little lower.
constexpr std::uint64_t kMargin = 256;
// Their last stacks come after their exit.
constexpr std::size_t kGoneKept = 64;
// Lines of a script from which requests are sent, callers included: some thousand in a large one.
constexpr std::size_t kPlacesKept = 20'000;
// As many as the symbolizer remembers.
constexpr std::size_t kMaxProcesses = 4096;

// Of programs whose code is generated while they run.
std::string note_of_jit(const std::vector<LoadedFile>& files, std::uint32_t pid, std::uint64_t start_ns) {
  for (const LoadedFile& file : files) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (name.starts_with("libjvm.so"))
      return fmt::format(
          "Java shows its methods when it runs with -XX:+PreserveFramePointer and, from JDK 17 on, after "
          "`jcmd {} Compiler.perfmap`; those that are not compiled yet stay nameless",
          pid);
    if ((name == "node" || name == "nodejs" || name.starts_with("libnode.so")) &&
        !PerfMap::open(open_process(pid, start_ns)))
      return "Node.js shows its functions when it runs with --perf-basic-prof, which NODE_OPTIONS can hold";
  }
  return "";
}

}  // namespace

bool CaptureModes::look(std::uint32_t pid, std::uint64_t start_ns) {
  if (processes_.size() >= kMaxProcesses) processes_.clear();
  const Key key{pid, start_ns};
  Process& process = processes_[key];
  if (is_settled(pid, start_ns)) return false;
  if (++process.looks > 1) symbolizer_.look_again(pid, start_ns);
  const auto files = symbolizer_.files(pid, start_ns);
  const auto is_go = [](const LoadedFile& file) {
    return file.module->image().is_executable() && file.module->is_go();
  };
  if (const auto program = std::ranges::find_if(files, is_go); program != files.end()) {
    look_at_go(key, process, *program);
    return false;
  }
  std::vector<MappedFile> mapped;
  mapped.reserve(files.size());
  for (const LoadedFile& file : files)
    mapped.push_back({file.path, file.bias, &file.module->image(), file.module->debug_image()});
  process.memory = std::make_unique<ProcessMemory>(static_cast<pid_t>(pid));
  FoundInterpreter found = find_interpreter(mapped, *process.memory);
  process.interpreter = std::move(found.interpreter);
  const std::string before = std::move(process.note);
  process.note = process.interpreter      ? ""
                 : !found.why_not.empty() ? found.why_not
                                          : note_of_jit(files, pid, start_ns);
  if (!process.interpreter) {
    // The first look may have been at its exec, before it had mapped anything.
    if (!found.not_yet && process.looks > 1) process.looks = kMaxLooks;
  } else {
    process.mode = FRAMES_SCRIPT;
    tell(key, process);
  }
  return process.note != before;
}

// A Go program is walked from its first look on; who its goroutines are shows once its runtime has started.
void CaptureModes::look_at_go(const Key& key, Process& process, const LoadedFile& program) {
  const bool is_first = process.mode == 0;
  if (is_first)
    process.go =
        GoRuntime::open({program.path, program.bias, &program.module->image(), program.module->debug_image()},
                        program.module->go_table()->layout().text);
  process.mode |= FRAMES_WALKED;
  if (process.go) {
    if (const auto found = process.go->find(ProcessMemory(static_cast<pid_t>(key.pid)))) {
      process.mode |= FRAMES_GOROUTINES;
      process.goroutines = *found;
      process.go.reset();
    }
  }
  if (is_first || (process.mode & FRAMES_GOROUTINES) != 0) tell(key, process);
}

bool CaptureModes::is_settled(std::uint32_t pid, std::uint64_t start_ns) const {
  const auto known = processes_.find({pid, start_ns});
  return known != processes_.end() &&
         ((known->second.mode != 0 && !known->second.go) || known->second.looks >= kMaxLooks);
}

void CaptureModes::process_replaced(std::uint32_t pid, std::uint64_t start_ns) {
  processes_.erase({pid, start_ns});
  tell_(pid, frame_layout{});
}

void CaptureModes::process_gone(std::uint32_t pid, std::uint64_t start_ns) {
  const Key key{pid, start_ns};
  const auto known = processes_.find(key);
  if (known == processes_.end()) return;
  known->second.is_gone = true;
  gone_.push_back(key);
  if (gone_.size() <= kGoneKept) return;
  processes_.erase(gone_.front());
  gone_.pop_front();
}

void CaptureModes::deepen(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t from) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || !is_settled(pid, start_ns)) return;  // it may become a script's yet
  Process& process = known->second;
  if (process.mode != 0 || process.deep != Process::Deep::untried) return;
  process.deep = Process::Deep::tried;
  process.skip = static_cast<std::uint32_t>(from - std::min(from, kMargin));
  tell(known->first, process);
}

void CaptureModes::deep_seen(std::uint32_t pid, std::uint64_t start_ns, bool shows_application) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || known->second.deep != Process::Deep::tried) return;
  Process& process = known->second;
  if (shows_application) process.deep = Process::Deep::helps;
  if (shows_application || ++process.without < kDeepTried) return;
  process.deep = Process::Deep::in_vain;
  tell(known->first, process);
}

void CaptureModes::tell(const Key& key, const Process& process) {
  frame_layout layout = process.interpreter ? process.interpreter->layout() : frame_layout{};
  const bool is_deep = process.deep == Process::Deep::tried || process.deep == Process::Deep::helps;
  layout.flags |= process.mode | (is_deep ? FRAMES_DEEP : 0);
  layout.skip = process.skip;
  layout.go = process.goroutines;
  tell_(key.pid, layout);
}

std::string CaptureModes::note(std::uint32_t pid, std::uint64_t start_ns) const {
  const auto known = processes_.find({pid, start_ns});
  return known == processes_.end() ? "" : known->second.note;
}

std::vector<SymbolFrame> CaptureModes::name(std::uint32_t pid, std::uint64_t start_ns,
                                            std::span<const script_frame> frames) {
  const auto known = processes_.find({pid, start_ns});
  if (known == processes_.end() || !known->second.interpreter) return {};
  Process& process = known->second;
  std::vector<SymbolFrame> named;
  if (!process.is_gone) named = process.interpreter->name(*process.memory, frames);
  if (process.places.size() > kPlacesKept) process.places.clear();
  for (const script_frame& frame : frames) {
    const auto [place, is_new] = process.places.try_emplace({frame.code, frame.place});
    if (is_new && !named.empty()) place->second = process.interpreter->name(*process.memory, {&frame, 1});
    // Its memory is gone, the names that it had a moment ago are not.
    if (process.is_gone) named.insert(named.end(), place->second.begin(), place->second.end());
  }
  return named;
}

}  // namespace connleak
