// SPDX-License-Identifier: Apache-2.0
// A program that is stopped where it waits, and captured as the kernel side captures it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "capture.h"

namespace connleak::test {

// The path of a program built by unwind.cmake.
std::string unwind_subject(const std::string& name);

class Stopped {
 public:
  // Starts it, waits until it has said "ready THREAD" and that thread waits.
  explicit Stopped(const std::vector<std::string>& command);
  ~Stopped();
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;

  [[nodiscard]] std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

  // What bpf/capturing.bpf.c takes: CAPTURE_BYTES of stack, or twice as much. nullptr: not to be traced.
  [[nodiscard]] std::unique_ptr<capture> take(bool is_deep = false) const;

 private:
  pid_t pid_ = -1;
  pid_t thread_ = -1;
  Fd input_;
  Fd output_;
};

// The same of any thread that can be traced. It is stopped for a moment.
[[nodiscard]] std::unique_ptr<capture> capture_thread(pid_t pid, pid_t thread, bool is_deep);

}  // namespace connleak::test
