// SPDX-License-Identifier: Apache-2.0
#include "base/process_memory.hpp"

#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <bit>

namespace connleak {

bool ProcessMemory::read(std::uint64_t address, std::span<std::byte> out) const {
  const MemoryPiece piece{address, out};
  return read_all({&piece, 1});
}

bool ProcessMemory::read_all(std::span<const MemoryPiece> pieces) const {
  std::array<iovec, kPieces> here;
  std::array<iovec, kPieces> there;
  while (!pieces.empty()) {
    const std::size_t count = std::min(pieces.size(), kPieces);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < count; ++i) {
      here[i] = {pieces[i].out.data(), pieces[i].out.size()};
      there[i] = {std::bit_cast<void*>(pieces[i].address), pieces[i].out.size()};
      if (pieces[i].out.size() > kMaxRead - bytes) return false;
      bytes += pieces[i].out.size();
    }
    if (::process_vm_readv(pid_, here.data(), count, there.data(), count, 0) != static_cast<ssize_t>(bytes))
      return false;
    pieces = pieces.subspan(count);
  }
  return true;
}

}  // namespace connleak
