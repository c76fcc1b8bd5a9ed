// SPDX-License-Identifier: Apache-2.0
// An interpreter that runs a script of the test, and a look into it from outside.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "interpreters/interpreter.hpp"

namespace connleak::test {

class LiveMemory : public Memory {
 public:
  explicit LiveMemory(pid_t pid) : pid_(pid) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;

 private:
  pid_t pid_;
};

// Flips bits of what is read, and fails now and then.
class CorruptMemory : public Memory {
 public:
  CorruptMemory(const Memory& memory, unsigned seed) : memory_(memory), random_(seed) {}
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;
  [[nodiscard]] std::size_t bytes_read() const { return bytes_; }

 private:
  const Memory& memory_;
  mutable std::mt19937 random_;
  mutable std::size_t bytes_ = 0;
};

// The path of a program, by PATH; nullopt where it is not installed.
std::optional<std::string> program_path(const std::string& name);

class PausedScript {
 public:
  // Runs it and reads what it prints up to a line "end". The script then waits for its standard input.
  explicit PausedScript(const std::vector<std::string>& command);
  ~PausedScript();
  PausedScript(const PausedScript&) = delete;
  PausedScript& operator=(const PausedScript&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const std::vector<std::string>& lines() const { return lines_; }
  [[nodiscard]] const std::vector<MappedFile>& files() const { return mapped_; }
  // Of its threads, the first one first. Empty where that cannot be asked.
  [[nodiscard]] std::vector<std::uint64_t> thread_pointers() const;

 private:
  struct OpenFile {
    Fd fd;
    std::unique_ptr<ElfImage> image;
  };
  void open_files();

  pid_t pid_ = -1;
  Fd input_;
  std::FILE* output_ = nullptr;
  std::vector<std::string> lines_;
  std::vector<OpenFile> files_;
  std::vector<MappedFile> mapped_;
};

// "function|file|line" for each, as the scripts print theirs.
std::vector<std::string> said(const std::vector<SymbolFrame>& frames);

// The path of a script beside this file.
std::string script_path(const std::string& name);

}  // namespace connleak::test
