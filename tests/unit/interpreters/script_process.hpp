// SPDX-License-Identifier: Apache-2.0
// An interpreter that runs a script which says where it is, and waits there.
//
// The script writes lines of fields with tabs between them: "frame FUNCTION FILE LINE" for each frame, innermost
// first (line 0: none), "thread POINTER TID", other words, and then "ready". It goes on when it gets a byte, and
// ends with its input.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "interpreters/interpreter.hpp"
#include "interpreters/process_memory.hpp"

namespace connleak::test {

struct SaidScriptFrame {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
  friend bool operator==(const SaidScriptFrame&, const SaidScriptFrame&) = default;
};

// What was said up to "ready".
struct SaidPlace {
  std::vector<SaidScriptFrame> frames;
  std::uint64_t thread_pointer = 0;
  pid_t thread = 0;
  std::vector<std::vector<std::string>> others;  // fields of lines of other words
};

class ScriptProcess {
 public:
  explicit ScriptProcess(const std::vector<std::string>& command);
  ~ScriptProcess();
  ScriptProcess(const ScriptProcess&) = delete;
  ScriptProcess& operator=(const ScriptProcess&) = delete;

  // Reads on to "ready" and waits until that thread sleeps. False: the script has ended.
  [[nodiscard]] bool next(SaidPlace& said);
  void go_on();  // sends a byte

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Memory& memory() const { return memory_; }
  // What is mapped now; the images live as long as the process object.
  [[nodiscard]] std::vector<MappedFile> files();

 private:
  pid_t pid_ = -1;
  Fd input_;
  std::FILE* output_ = nullptr;
  ProcessMemory memory_{-1};
  struct Opened {
    Fd file;
    std::unique_ptr<ElfImage> image;
  };
  std::vector<Opened> opened_;
};

// The frames as the script would say them; missing ones are "" and 0.
std::vector<SaidScriptFrame> as_said(const std::vector<SymbolFrame>& frames);
std::string to_text(const std::vector<SaidScriptFrame>& frames);

}  // namespace connleak::test
