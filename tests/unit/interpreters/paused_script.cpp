// SPDX-License-Identifier: Apache-2.0
#include "interpreters/paused_script.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstddef>
#include <cstdlib>
#include <filesystem>

#include "symbols/maps.hpp"
#include "symbols/process_files.hpp"

namespace connleak::test {

bool LiveMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  const iovec local{out.data(), out.size()};
  const iovec remote{reinterpret_cast<void*>(address), out.size()};  // NOLINT(performance-no-int-to-ptr)
  return ::process_vm_readv(pid_, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(out.size());
}

bool CorruptMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  bytes_ += out.size();
  if (random_() % 64 == 0 || !memory_.read(address, out)) return false;
  if (random_() % 4 == 0) {
    for (auto flips = 1 + random_() % 3; flips != 0; --flips)
      out[random_() % out.size()] ^= std::byte{static_cast<unsigned char>(1U << (random_() % 8))};
  } else if (random_() % 16 == 0) {
    std::ranges::generate(out, [&] { return std::byte{static_cast<unsigned char>(random_())}; });
  }
  return true;
}

std::optional<std::string> program_path(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string rest = path == nullptr ? "/usr/bin" : path;
  while (!rest.empty()) {
    const auto colon = rest.find(':');
    const std::string full = rest.substr(0, colon) + "/" + name;
    if (::access(full.c_str(), X_OK) == 0) return full;
    rest = colon == std::string::npos ? "" : rest.substr(colon + 1);
  }
  return std::nullopt;
}

PausedScript::PausedScript(const std::vector<std::string>& command) {
  int in[2];
  int out[2];
  REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_ = ::fork();
  REQUIRE(pid_ >= 0);
  if (pid_ == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  input_ = Fd(in[1]);
  output_ = ::fdopen(out[0], "r");
  char* line = nullptr;
  std::size_t size = 0;
  bool ended = false;
  while (!ended && ::getline(&line, &size, output_) > 0) {
    std::string text(line);
    text.erase(text.find_last_not_of('\n') + 1);
    ended = text == "end";
    if (!ended) lines_.push_back(std::move(text));
  }
  std::free(line);
  INFO(fmt::format("{}", command.front()));
  REQUIRE(ended);
  // It says "end" and then goes to wait: give it the time.
  ::usleep(200'000);
  open_files();
}

PausedScript::~PausedScript() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  if (output_ != nullptr) std::fclose(output_);
}

void PausedScript::open_files() {
  const Fd process = open_process(static_cast<std::uint32_t>(pid_), 0);
  const auto text = read_maps_text(process);
  REQUIRE(text);
  for (const MapsEntry& entry : parse_maps(*text)) {
    Fd fd = open_mapped(process, entry);
    if (!fd) continue;
    auto image = ElfImage::open(fd.get());
    if (!image) continue;
    for (const auto& segment : image->segments()) {
      const std::uint64_t in_page = segment.offset % 4096;
      if (!segment.executable || segment.offset - in_page != entry.offset) continue;
      files_.push_back({std::move(fd), std::make_unique<ElfImage>(std::move(*image))});
      mapped_.push_back(
          {entry.path, entry.start - (segment.address - in_page), files_.back().image.get(), nullptr});
      break;
    }
  }
}

std::vector<std::uint64_t> PausedScript::thread_pointers() const {
  std::vector<pid_t> threads;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/task", pid_)))
    threads.push_back(std::stoi(entry.path().filename().string()));
  std::ranges::sort(threads);
  std::vector<std::uint64_t> pointers;
#ifdef __x86_64__
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

std::vector<std::string> said(const std::vector<SymbolFrame>& frames) {
  std::vector<std::string> lines;
  lines.reserve(frames.size());
  for (const SymbolFrame& frame : frames) {
    lines.push_back(fmt::format("{}|{}|{}", frame.function.value_or("?"), frame.file.value_or("?"),
                                frame.line ? std::to_string(*frame.line) : "?"));
  }
  return lines;
}

std::string script_path(const std::string& name) { return std::string(CONNLEAK_SCRIPT_SUBJECTS) + "/" + name; }

}  // namespace connleak::test
