// SPDX-License-Identifier: Apache-2.0
#include "interpreters/process_memory.hpp"

#include <sys/uio.h>

#include <bit>

namespace connleak {

bool ProcessMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  if (out.size() > kMaxRead) return false;
  if (out.empty()) return true;
  const iovec here{out.data(), out.size()};
  const iovec there{std::bit_cast<void*>(address), out.size()};
  return ::process_vm_readv(pid_, &here, 1, &there, 1, 0) == static_cast<ssize_t>(out.size());
}

}  // namespace connleak
