// SPDX-License-Identifier: Apache-2.0
#include "interpreters/script_process.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "interpreters/altered_memory.hpp"
#include "piped_child.hpp"
#include "symbols/symbolizer.hpp"

namespace connleak::test {

namespace {

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, '\t');) fields.push_back(field);
  return fields;
}

}  // namespace

ScriptProcess::ScriptProcess(const std::vector<std::string>& command) {
  PipedChild child = start_piped(command);
  pid_ = child.pid;
  input_ = std::move(child.input);
  output_ = ::fdopen(child.output.release(), "r");
  memory_ = ProcessMemory(pid_);
}

ScriptProcess::~ScriptProcess() {
  std::fclose(output_);
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool ScriptProcess::next(SaidPlace& said) {
  said = {};
  said.thread = pid_;
  char* line = nullptr;
  std::size_t room = 0;
  bool ready = false;
  for (ssize_t size; !ready && (size = ::getline(&line, &room, output_)) > 0;) {
    const auto fields = fields_of(std::string(line, static_cast<std::size_t>(size) - 1));
    if (fields.empty()) continue;
    if (fields[0] == "ready") {
      ready = true;
    } else if (fields[0] == "frame" && fields.size() == 4) {
      said.frames.push_back({fields[1], fields[2], static_cast<std::uint32_t>(std::stoul(fields[3]))});
    } else if (fields[0] == "thread" && fields.size() == 3) {
      said.thread_pointer = std::stoull(fields[1]);
      said.thread = static_cast<pid_t>(std::stol(fields[2]));
    } else {
      said.others.push_back(fields);
    }
  }
  std::free(line);
  // Between "ready" and the wait for a byte it still runs.
  const auto runs = [&] {
    const auto fields = stat_fields(pid_, said.thread);
    return !fields.empty() && fields[0] == "R";
  };
  for (int i = 0; ready && i < 5000 && runs(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return ready;
}

void ScriptProcess::go_on() {
  if (::write(input_.get(), "\n", 1) != 1) throw std::runtime_error("the script is gone");
}

std::vector<MappedFile> ScriptProcess::files() {
  Symbolizer symbolizer;
  std::vector<MappedFile> files;
  for (const LoadedFile& file : symbolizer.files(static_cast<std::uint32_t>(pid_), 0)) {
    files.push_back({file.path, file.bias, &file.module->image(), file.module->debug_image()});
    opened_.push_back(file.module);
  }
  return files;
}

std::vector<std::uint64_t> ScriptProcess::thread_pointers() const {
  std::vector<std::uint64_t> pointers;
#ifdef __x86_64__
  std::vector<pid_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid_) + "/task"))
    threads.push_back(std::stoi(entry.path().filename().string()));
  std::ranges::sort(threads);
  for (const pid_t thread : threads) {
    if (::ptrace(PTRACE_ATTACH, thread, nullptr, nullptr) != 0) continue;
    ::waitpid(thread, nullptr, __WALL);
    const long pointer = ::ptrace(PTRACE_PEEKUSER, thread, offsetof(user_regs_struct, fs_base), nullptr);
    pointers.push_back(static_cast<std::uint64_t>(pointer));
    ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  }
#endif
  return pointers;
}

UnderstoodScript::UnderstoodScript(const std::vector<std::string>& command) : process(command) {
  INFO(command.front());
  REQUIRE(process.next(said));
  files = process.files();
  auto found = find_interpreter(files, process.memory());
  INFO(found.why_not);
  REQUIRE(found.interpreter);
  CHECK_FALSE(found.not_yet);
  interpreter = std::move(found.interpreter);
}

std::vector<script_frame> UnderstoodScript::walk(std::uint64_t thread_pointer) const {
  return walk_frames(interpreter->layout(), process.memory(), thread_pointer);
}

std::vector<SymbolFrame> UnderstoodScript::name(const std::vector<script_frame>& frames) const {
  return interpreter->name(process.memory(), frames);
}

std::string UnderstoodScript::why_not_yet() const {
  const auto found = find_interpreter(files, UnstartedMemory(files));
  INFO(found.why_not);
  CHECK_FALSE(found.interpreter);
  CHECK(found.not_yet);
  return found.why_not;
}

std::vector<SaidScriptFrame> as_said(const std::vector<SymbolFrame>& frames) {
  std::vector<SaidScriptFrame> said;
  for (const SymbolFrame& frame : frames) {
    said.push_back({frame.function.value_or(""), frame.file.value_or(""), frame.line.value_or(0)});
  }
  return said;
}

std::string to_text(const std::vector<SaidScriptFrame>& frames) {
  std::string text = "\n";
  for (const SaidScriptFrame& frame : frames) {
    text += "  " + frame.function + " " + frame.file + ":" + std::to_string(frame.line) + "\n";
  }
  return text;
}

std::optional<std::string> program_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "/usr/bin" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    const std::string full = directory + "/" + name;
    if (::access(full.c_str(), X_OK) == 0) return full;
  }
  return std::nullopt;
}

std::string program_or_skip(const std::string& name, const char* variable) {
  if (const char* other = std::getenv(variable); other != nullptr) return other;
  const auto path = program_path(name);
  if (!path) SKIP(name + " is not installed: tools/install test");
  return *path;
}

std::string script_path(const std::string& name) { return std::string(CONNLEAK_SCRIPTS) + "/" + name; }

}  // namespace connleak::test
