// SPDX-License-Identifier: Apache-2.0
// The memory of a process of this host.
#pragma once

#include <sys/types.h>

#include "interpreters/interpreter.hpp"

namespace connleak {

// By process_vm_readv: needs the right to trace the process. The pid is a name, no hold: once the process is gone
// and its pid in use again, reads are of the new one. A page that a FUSE server serves is waited for.
class ProcessMemory final : public Memory {
 public:
  explicit ProcessMemory(pid_t pid) : pid_(pid) {}
  // More than kMaxRead bytes are refused.
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;

  static constexpr std::size_t kMaxRead = 4 << 20;

 private:
  pid_t pid_;
};

}  // namespace connleak
