// SPDX-License-Identifier: Apache-2.0
// A program that says where it is, running and waiting.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"

namespace connleak::test {

struct SaidFrame {
  std::string function;
  std::uint32_t line = 0;
  std::string file;  // "" where the program does not say
};

struct SaidSite {
  std::uint64_t address = 0;
  std::string kind;
  std::vector<SaidFrame> frames;  // innermost first
};

// The path of a program built by symbols.cmake.
std::string subject_path(const std::string& name);

class Subject {
 public:
  // Starts the program and reads what it says up to "end".
  explicit Subject(const std::string& path);
  ~Subject() { stop(); }
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  void go_on();  // sends it a line and reads on to the next "end"
  void stop();   // closes its input and waits for its exit
  [[nodiscard]] std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }
  [[nodiscard]] std::uint64_t start_ns() const { return start_ns_; }  // to the tick, from /proc/PID/stat
  [[nodiscard]] const std::vector<SaidSite>& sites() const { return sites_; }
  [[nodiscard]] const SaidSite& site(const std::string& kind) const;

 private:
  void listen();

  pid_t pid_ = -1;
  std::FILE* output_ = nullptr;
  std::uint64_t start_ns_ = 0;
  Fd input_;
  std::vector<SaidSite> sites_;
};

}  // namespace connleak::test
