// SPDX-License-Identifier: Apache-2.0
// Starting a subject program.
#include "subject.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace connleak::test {

namespace {

SaidFrame parse_frame(const std::string& word) {
  SaidFrame frame;
  // FUNCTION:LINE or FUNCTION:LINE:FILE, where a function may hold "::".
  for (auto colon = word.find(':'); colon != std::string::npos; colon = word.find(':', colon + 1)) {
    const auto digits = word.find_first_not_of("0123456789", colon + 1);
    if (digits == colon + 1 || (digits != std::string::npos && word[digits] != ':')) continue;
    frame.function = word.substr(0, colon);
    frame.line = static_cast<std::uint32_t>(std::stoul(word.substr(colon + 1)));
    if (digits != std::string::npos) frame.file = word.substr(digits + 1);
    break;
  }
  // Spaces in parameter lists are written as underscores.
  const auto parameters = std::min(frame.function.find('('), frame.function.size());
  std::replace(frame.function.begin() + static_cast<std::ptrdiff_t>(parameters), frame.function.end(), '_', ' ');
  return frame;
}

std::uint64_t read_start_ns(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string field;
  for (int i = 3; i <= 22; ++i) fields >> field;
  return std::stoull(field) * (1'000'000'000ULL / static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK))) + 1;
}

}  // namespace

std::string subject_path(const std::string& name) { return std::string(CONNLEAK_SYMBOLS_SUBJECTS) + "/" + name; }

Subject::Subject(const std::string& path) {
  int in[2];
  int out[2];
  if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  input_ = Fd(in[1]);
  const Fd child_in(in[0]);
  Fd child_out(out[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  char* arguments[] = {const_cast<char*>(path.c_str()), nullptr};
  const int error = ::posix_spawn(&pid_, path.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) throw std::runtime_error("cannot start " + path);
  child_out = Fd();

  output_ = ::fdopen(out[0], "r");
  listen();
  start_ns_ = read_start_ns(pid_);
}

void Subject::listen() {
  char buffer[8192];
  while (std::fgets(buffer, sizeof buffer, output_) != nullptr && std::string(buffer) != "end\n") {
    std::istringstream words(buffer);
    SaidSite site;
    words >> std::hex >> site.address >> site.kind;
    for (std::string word; words >> word;) site.frames.push_back(parse_frame(word));
    sites_.push_back(std::move(site));
  }
}

void Subject::go_on() {
  if (::write(input_.get(), "\n", 1) != 1) throw std::runtime_error("the program is gone");
  listen();
}

void Subject::stop() {
  if (pid_ < 0) return;
  input_ = Fd();
  ::waitpid(pid_, nullptr, 0);
  std::fclose(output_);
  pid_ = -1;
}

const SaidSite& Subject::site(const std::string& kind) const {
  for (const auto& site : sites_) {
    if (site.kind == kind) return site;
  }
  throw std::runtime_error("the program says nothing about " + kind);
}

}  // namespace connleak::test
