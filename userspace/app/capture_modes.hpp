// SPDX-License-Identifier: Apache-2.0
// How the stacks of each process are captured, as its program wants it, and what was captured of scripts.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "interpreters/go_runtime.hpp"
#include "interpreters/interpreter.hpp"
#include "symbols/symbolizer.hpp"

namespace connleak {

class CaptureModes {
 public:
  using Tell = std::function<void(std::uint32_t pid, const frame_layout& layout)>;
  // `symbolizer` is borrowed. `tell` hands a layout to the kernel side.
  CaptureModes(Symbolizer& symbolizer, Tell tell) : symbolizer_(symbolizer), tell_(std::move(tell)) {}

  // Looks for its interpreter while it lives. True: what is said of it, note(), has changed.
  bool look(std::uint32_t pid, std::uint64_t start_ns);
  // Looking again would tell nothing new: interpreters get ready while a process starts.
  [[nodiscard]] bool is_settled(std::uint32_t pid, std::uint64_t start_ns) const;
  void process_replaced(std::uint32_t pid, std::uint64_t start_ns);  // after exec
  void process_gone(std::uint32_t pid, std::uint64_t start_ns);

  // Its native stacks end below the application's code: what follows is wanted from `from` bytes above the stack
  // pointer on.
  void deepen(std::uint32_t pid, std::uint64_t start_ns, std::uint64_t from);
  // A deep one came of it, and shows the application or does not. Where none of the first ones do they are given
  // up, for good: they cost the stacks of the connect and of the use before.
  void deep_seen(std::uint32_t pid, std::uint64_t start_ns, bool shows_application);

  // Why the frames of its program cannot be named, and what would help; "" where nothing is amiss.
  [[nodiscard]] std::string note(std::uint32_t pid, std::uint64_t start_ns) const;

  // Empty: nothing is known of the interpreter. Of a process that is gone, what was named while it lived.
  [[nodiscard]] std::vector<SymbolFrame> name(std::uint32_t pid, std::uint64_t start_ns,
                                              std::span<const script_frame> frames);

 private:
  struct Key {
    std::uint32_t pid = 0;
    std::uint64_t start_ns = 0;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Process {
    int looks = 0;
    std::uint32_t mode = 0;  // FRAMES_SCRIPT, FRAMES_WALKED, FRAMES_GOROUTINES; 0: native stacks
    enum class Deep { untried, tried, helps, in_vain } deep = Deep::untried;
    std::uint32_t skip = 0;
    // Of a Go program whose runtime is understood, until it has started: then its goroutines have ids.
    std::optional<GoRuntime> go;
    goroutine_layout goroutines{};
    int without = 0;  // deep stacks that do not show the application, while none has
    bool is_gone = false;
    // What frames meant while the process lived: one frame, or none where it is the interpreter's own.
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<SymbolFrame>> places;
    std::unique_ptr<Memory> memory;
    std::unique_ptr<Interpreter> interpreter;
    std::string note;
  };
  void look_at_go(const Key& key, Process& process, const LoadedFile& program);
  void tell(const Key& key, const Process& process);

  Symbolizer& symbolizer_;
  Tell tell_;
  std::map<Key, Process> processes_;
  std::deque<Key> gone_;
};

}  // namespace connleak
