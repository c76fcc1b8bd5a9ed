// SPDX-License-Identifier: Apache-2.0
// The memory of a process of this host.
#pragma once

#include <sys/types.h>

#include "base/memory.hpp"

namespace connleak {

// By process_vm_readv: needs the right to trace the process. The pid is a name, no hold: once the process is gone
// and its pid in use again, reads are of the new one. A page that a FUSE server serves is waited for.
class ProcessMemory final : public Memory {
 public:
  explicit ProcessMemory(pid_t pid) : pid_(pid) {}
  // One call. More than kMaxRead bytes are refused.
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override;
  // One call for kPieces pieces each; more than kMaxRead bytes in one call are refused.
  [[nodiscard]] bool read_all(std::span<const MemoryPiece> pieces) const override;

  static constexpr std::size_t kMaxRead = 4 << 20;
  static constexpr std::size_t kPieces = 512;  // of the 1,024 that the kernel takes (UIO_MAXIOV)

 private:
  pid_t pid_;
};

}  // namespace connleak
