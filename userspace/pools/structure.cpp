// SPDX-License-Identifier: Apache-2.0
#include "pools/structure.hpp"

#include <algorithm>

namespace connleak {

std::optional<std::vector<std::uint64_t>> read_pointers(const Memory& memory, std::uint64_t address,
                                                        std::uint64_t count) {
  if (count > kMaxMembers) return std::nullopt;
  std::vector<std::uint64_t> pointers(count);
  if (count != 0 && !memory.read(address, std::as_writable_bytes(std::span(pointers)))) return std::nullopt;
  const auto is_pointer = [](std::uint64_t pointer) { return pointer != 0 && pointer % 8 == 0; };
  return std::ranges::all_of(pointers, is_pointer) ? std::optional(std::move(pointers)) : std::nullopt;
}

}  // namespace connleak
