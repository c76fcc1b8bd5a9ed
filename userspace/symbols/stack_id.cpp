// SPDX-License-Identifier: Apache-2.0
// Stack ids.
#include "symbols/stack_id.hpp"

#include <fmt/core.h>

#include <vector>

namespace connleak {

namespace {

constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
constexpr std::uint64_t kPrime = 0x100000001b3;

std::uint64_t mix(std::uint64_t hash, std::uint8_t byte) { return (hash ^ byte) * kPrime; }

}  // namespace

std::string stack_id(std::span<const StackLocation> locations) {
  std::uint64_t hash = kBasis;
  for (const auto& location : locations) {
    for (const char c : location.module) hash = mix(hash, static_cast<std::uint8_t>(c));
    hash = mix(hash, 0);
    for (unsigned shift = 0; shift < 64; shift += 8) {
      hash = mix(hash, static_cast<std::uint8_t>(location.offset >> shift));
    }
  }
  return fmt::format("{:016x}", hash);
}

std::string stack_id(std::span<const SymbolFrame> frames) {
  std::vector<StackLocation> locations;
  locations.reserve(frames.size());
  for (const auto& frame : frames) {
    if (!frame.inlined) locations.push_back({frame.module, frame.offset});
  }
  return stack_id(std::span<const StackLocation>(locations));
}

}  // namespace connleak
