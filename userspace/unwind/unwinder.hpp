// SPDX-License-Identifier: Apache-2.0
// From a captured piece of stack to the addresses of its frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "capture.h"
#include "symbols/symbolizer.hpp"
#include "unwind/call_frames.hpp"

namespace connleak {

// What is over a limit is forgotten, the longest unused first, and read again when it is wanted.
struct UnwinderLimits {
  // Files with rows, between the calls and the sockets of a few dozen programs. Each is kept open.
  std::size_t files = 128;
  std::size_t bytes = std::size_t{32} << 20;  // of their rows; one file's may be above it
};

struct UnwinderStats {
  std::uint64_t stacks = 0;
  std::uint64_t cut = 0;  // deeper than what was captured
};

struct UnwoundStack {
  // Innermost first: the address after the system call, then return addresses, WIRE_FRAMES at most. Each lies in
  // code that the process has mapped from a file; where that cannot be told, or a frame's caller, the list ends.
  std::vector<std::uint64_t> addresses;
  // How far above the stack pointer the next frame lies, bytes, where that was not captured; 0: it ends for
  // another reason.
  std::uint64_t cut_at = 0;
  bool is_deep = false;  // twice as much was captured
};

class Unwinder {
 public:
  // Borrowed: knows what the processes have mapped.
  explicit Unwinder(Symbolizer& symbolizer, UnwinderLimits limits = {})
      : symbolizer_(symbolizer), limits_(limits) {}

  // Nothing for what is no CAPTURE_RAW. What was captured is only read.
  [[nodiscard]] UnwoundStack unwind(std::uint32_t pid, std::uint64_t start_ns, const capture& captured);

  [[nodiscard]] const UnwinderStats& stats() const { return stats_; }
  // About what the rows take.
  [[nodiscard]] std::size_t memory_bytes() const { return bytes_; }

 private:
  struct File {
    std::shared_ptr<const Module> module;  // first: the table borrows its image
    std::unique_ptr<CallFrames> frames;
    std::uint64_t last_use = 0;
  };
  [[nodiscard]] const FrameRow* row_at(const CodePlace& code);
  void forget_some();

  Symbolizer& symbolizer_;
  UnwinderLimits limits_;
  std::unordered_map<const Module*, File> files_;
  std::size_t bytes_ = 0;
  std::uint64_t now_ = 0;  // counts stacks, for what was used last
  UnwinderStats stats_;
};

}  // namespace connleak
