// SPDX-License-Identifier: Apache-2.0
#include "app/child.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>

#include "base/text.hpp"

namespace connleak {
namespace {

[[noreturn]] void wait_and_exec(int go, int failed, char* const* argv) {
  char byte = 0;
  // End of file: the observer could not attach, so the command must not run.
  if (::read(go, &byte, 1) != 1) ::_exit(0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::execvp(argv[0], argv);
  const int error = errno;
  [[maybe_unused]] const auto written = ::write(failed, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<Child> Child::start(const std::vector<std::string>& argv) {
  int go[2];
  int failed[2];
  if (::pipe2(go, O_CLOEXEC) != 0) return failure(ErrorKind::failed, "cannot make a pipe for the command.");
  const Fd go_read(go[0]);
  Child child;
  child.go_ = Fd(go[1]);
  if (::pipe2(failed, O_CLOEXEC) != 0) return failure(ErrorKind::failed, "cannot make a pipe for the command.");
  child.failed_ = Fd(failed[0]);
  const Fd failed_write(failed[1]);
  std::vector<char*> words;
  words.reserve(argv.size() + 1);
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  child.name_ = argv.front();
  child.pid_ = ::fork();
  if (child.pid_ < 0) return failure(ErrorKind::failed, "cannot start another process.");
  if (child.pid_ == 0) {
    ::close(child.go_.get());
    wait_and_exec(go[0], failed[1], words.data());
  }
  return child;
}

Result<void> Child::release() {
  if (::write(go_.get(), "g", 1) != 1) return failure(ErrorKind::failed, "cannot start the command.");
  go_ = Fd();
  int error = 0;
  // Returns at the exec, which closes the other end.
  if (::read(failed_.get(), &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid_, nullptr, 0);
    return failure(ErrorKind::usage, fmt::format("{}: cannot be run: {}.", escape(name_), std::strerror(error)));
  }
  return {};
}

std::optional<int> Child::ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_)
    status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return status_;
}

void Child::signal(int number) const {
  if (!status_) ::kill(pid_, number);
}

}  // namespace connleak
