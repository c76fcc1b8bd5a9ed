// SPDX-License-Identifier: Apache-2.0
#include "stopped.hpp"

#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <thread>

#include "piped_child.hpp"

namespace connleak::test {

namespace {

std::optional<user_regs_struct> registers_of(pid_t thread) {
  user_regs_struct registers{};
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, nullptr) != 0) return std::nullopt;
  int status = 0;
  const bool is_stopped = ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr) == 0 &&
                          ::waitpid(thread, &status, __WALL) == thread &&
                          ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) == 0;
  ::ptrace(PTRACE_DETACH, thread, nullptr, nullptr);
  if (!is_stopped) return std::nullopt;
  return registers;
}

std::size_t read_stack(pid_t pid, std::uint64_t from, std::uint8_t* to, std::size_t size) {
  const iovec here{to, size};
  const iovec there{std::bit_cast<void*>(from), size};
  return static_cast<std::size_t>(std::max<ssize_t>(::process_vm_readv(pid, &here, 1, &there, 1, 0), 0));
}

}  // namespace

std::string unwind_subject(const std::string& name) { return std::string(CONNLEAK_UNWIND_SUBJECTS) + "/" + name; }

std::unique_ptr<capture> capture_thread(pid_t pid, pid_t thread, bool is_deep) {
  const auto registers = registers_of(thread);
  const auto fields = stat_fields(pid, thread);
  constexpr std::size_t kStartStack = 28 - 3;
  if (!registers || fields.size() <= kStartStack) return nullptr;
  auto taken = std::make_unique<capture>();
  captured& stack = taken->stack;
  stack.form = CAPTURE_RAW;
  stack.registers[CAPTURE_BX] = registers->rbx;
  stack.registers[CAPTURE_BP] = registers->rbp;
  stack.registers[CAPTURE_SP] = registers->rsp;
  stack.registers[CAPTURE_R12] = registers->r12;
  stack.registers[CAPTURE_R13] = registers->r13;
  stack.registers[CAPTURE_R14] = registers->r14;
  stack.registers[CAPTURE_R15] = registers->r15;
  stack.registers[CAPTURE_IP] = registers->rip;
  stack.registers[CAPTURE_DI] = registers->rdi;
  const std::uint64_t top = pid == thread ? std::stoull(fields[kStartStack]) : registers->fs_base;
  const auto fill = [&](captured& piece, std::uint64_t from) {
    const std::size_t wanted = std::min<std::size_t>(top - std::min(top, from), CAPTURE_BYTES);
    piece.size = static_cast<std::uint16_t>(read_stack(pid, from, piece.data, wanted));
  };
  fill(stack, registers->rsp);
  taken->header.size = static_cast<std::uint16_t>(is_deep ? sizeof(capture) : CAPTURE_SHORT);
  if (is_deep) {
    taken->rest.registers[CAPTURE_SP] = registers->rsp + CAPTURE_BYTES;
    fill(taken->rest, taken->rest.registers[CAPTURE_SP]);
  }
  return taken;
}

Stopped::Stopped(const std::vector<std::string>& command) {
  PipedChild child = start_piped(command);
  pid_ = child.pid;
  input_ = std::move(child.input);
  output_ = std::move(child.output);
  std::string line;
  for (char byte = 0; ::read(output_.get(), &byte, 1) == 1 && byte != '\n';) line += byte;
  if (!line.starts_with("ready ")) throw std::runtime_error(command[0] + " says: " + line);
  thread_ = std::stoi(line.substr(6));
  // Between "ready" and the wait it still runs.
  for (int i = 0; i < 5000; ++i) {
    const auto fields = stat_fields(pid_, thread_);
    if (fields.empty() || fields[0] != "R") break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

Stopped::~Stopped() {
  input_ = Fd();
  if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
}

std::unique_ptr<capture> Stopped::take(bool is_deep) const { return capture_thread(pid_, thread_, is_deep); }

}  // namespace connleak::test
