// SPDX-License-Identifier: Apache-2.0
// The command of `connleak run`: held before its first instruction until the hooks are there.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace connleak {

class Child {
 public:
  // Forks; the child waits for release(). Signals blocked by `Signals` are unblocked in it.
  [[nodiscard]] static Result<Child> start(const std::vector<std::string>& argv);

  Child(Child&&) = default;
  Child& operator=(Child&&) = default;
  // A child never released does not run; one that was released runs on.
  ~Child() = default;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Lets it exec. An exec that fails (no such program) is ErrorKind::usage.
  [[nodiscard]] Result<void> release();
  // Its exit status in the shell's sense (128+N for signal N) once it has ended. Never blocks.
  [[nodiscard]] std::optional<int> ended();
  void signal(int number) const;

 private:
  Child() = default;
  pid_t pid_ = -1;
  std::string name_;
  Fd go_;      // written to let it exec
  Fd failed_;  // carries errno if exec failed
  std::optional<int> status_;
};

}  // namespace connleak
