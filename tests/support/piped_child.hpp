// SPDX-License-Identifier: Apache-2.0
// A program that a test starts and talks to, and what /proc says of it.
#pragma once

#include <fcntl.h>
#include <spawn.h>
#include <sys/types.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/fd.hpp"

extern char** environ;

namespace connleak::test {

struct PipedChild {
  pid_t pid = -1;
  Fd input;   // its standard input
  Fd output;  // its standard output
};

// Looked for in PATH. The caller waits for it.
inline PipedChild start_piped(const std::vector<std::string>& command) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  PipedChild child;
  child.input = Fd(in[1]);
  child.output = Fd(out[0]);
  const Fd child_in(in[0]);
  const Fd child_out(out[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int error = ::posix_spawnp(&child.pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + command[0]);
  return child;
}

// From the third on of /proc/PID/task/THREAD/stat; none where it is gone.
inline std::vector<std::string> stat_fields(pid_t pid, pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(thread) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos || name_end + 2 > text.size()) return {};
  std::istringstream in(text.substr(name_end + 2));
  return {std::istream_iterator<std::string>(in), {}};
}

}  // namespace connleak::test
