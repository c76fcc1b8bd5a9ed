// SPDX-License-Identifier: Apache-2.0
// Programs that run somebody else's code: where the kernel side finds the frames of a script, and what they mean.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/memory.hpp"
#include "frames.h"
#include "symbols/elf_image.hpp"
#include "symbols/frame.hpp"

namespace connleak {

// A file that the process has mapped executable. The images are borrowed.
struct MappedFile {
  std::string path;        // as the process sees it
  std::uint64_t bias = 0;  // added to link-time addresses
  const ElfImage* image = nullptr;
  const ElfImage* debug = nullptr;  // its separate debug file, where there is one
};

class Interpreter {
 public:
  virtual ~Interpreter() = default;
  // "Python 3.11.2"
  [[nodiscard]] virtual const std::string& version() const = 0;
  [[nodiscard]] virtual const frame_layout& layout() const = 0;
  // The script's frames, innermost first, read from the living process; frames that are no code of a script (the
  // interpreter's own) are left out. What cannot be read or does not hold together ends the list: never a guess.
  // `function`, `file`, `line`, `module` (the file's name without directory), `language` and `offset` (a hash of
  // file and function: the same in every run) are set.
  [[nodiscard]] virtual std::vector<SymbolFrame> name(const Memory& memory,
                                                      std::span<const script_frame> frames) = 0;
};

struct FoundInterpreter {
  std::unique_ptr<Interpreter> interpreter;  // nullptr: none, or one that is not understood
  std::string why_not;   // "" where it is none; else one sentence of what is missing and what would help
  bool not_yet = false;  // one is mapped but has not started: look again
};

// Looks at what the process has mapped and, through its memory, at how its interpreter is built. Of several that
// are not understood the first one's why_not is told, and whether any of them is not_yet.
[[nodiscard]] FoundInterpreter find_interpreter(std::span<const MappedFile> files, const Memory& memory);

// The walk that the kernel side does, done from outside: the reference for it, and for tests. The process must
// stand still, or the result is torn. `thread_pointer`: pthread_self() of the thread.
[[nodiscard]] std::vector<script_frame> walk_frames(const frame_layout& layout, const Memory& memory,
                                                    std::uint64_t thread_pointer);

}  // namespace connleak
