// SPDX-License-Identifier: Apache-2.0
// An interpreter that runs a script which says where it is, and waits there.
//
// The script writes lines of fields with tabs between them: "frame FUNCTION FILE LINE" for each frame, innermost
// first (line 0: none), "thread POINTER TID" where they are not those of its first thread or the pointer is
// wanted, other words, and then "ready". It goes on when it gets a byte.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/process_memory.hpp"
#include "interpreters/interpreter.hpp"
#include "symbols/module.hpp"

namespace connleak::test {

struct SaidScriptFrame {
  std::string function;
  std::string file;
  std::uint32_t line = 0;
  friend auto operator<=>(const SaidScriptFrame&, const SaidScriptFrame&) = default;
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
  ~ScriptProcess();  // ends it
  ScriptProcess(const ScriptProcess&) = delete;
  ScriptProcess& operator=(const ScriptProcess&) = delete;

  // Reads on to "ready" and waits until that thread sleeps. False: the script has ended.
  [[nodiscard]] bool next(SaidPlace& said);
  void go_on();  // sends a byte

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Memory& memory() const { return memory_; }
  // What is mapped now, as the product sees it; the images live as long as this object.
  [[nodiscard]] std::vector<MappedFile> files();
  // Of its threads, the first one first. Empty where that cannot be asked.
  [[nodiscard]] std::vector<std::uint64_t> thread_pointers() const;

 private:
  pid_t pid_ = -1;
  Fd input_;
  std::FILE* output_ = nullptr;
  ProcessMemory memory_{-1};
  std::vector<std::shared_ptr<Module>> opened_;
};

// A script at its first place, under an interpreter that is understood; fails the test where it is not.
struct UnderstoodScript {
  explicit UnderstoodScript(const std::vector<std::string>& command);
  [[nodiscard]] std::vector<script_frame> walk(std::uint64_t thread_pointer) const;
  [[nodiscard]] std::vector<SymbolFrame> name(const std::vector<script_frame>& frames) const;
  // What is said of the same files before the interpreter has run; fails the test where that is not not_yet.
  [[nodiscard]] std::string why_not_yet() const;

  ScriptProcess process;
  SaidPlace said;
  std::vector<MappedFile> files;
  std::unique_ptr<Interpreter> interpreter;
};

// The frames as the script would say them; missing ones are "" and 0.
std::vector<SaidScriptFrame> as_said(const std::vector<SymbolFrame>& frames);
std::string to_text(const std::vector<SaidScriptFrame>& frames);

// The path of a program, by PATH; nullopt where it is not installed.
std::optional<std::string> program_path(const std::string& name);
// The same, or what the environment's `variable` says; skips the test where it is not installed.
std::string program_or_skip(const std::string& name, const char* variable);

// The path of a script beside this file.
std::string script_path(const std::string& name);

}  // namespace connleak::test
