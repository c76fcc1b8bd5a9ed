// SPDX-License-Identifier: Apache-2.0
// Lets libFuzzer start from the well-formed seeds without a corpus in the tree.
#include <algorithm>
#include <cstring>

#include "fuzz.hpp"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  static const std::vector<std::vector<std::uint8_t>> seeds = fuzz_seeds();
  // Rarely, for libFuzzer's own corpus knows better once it has taken the seeds in.
  if (seed % 64 == 0) {
    const auto& chosen = seeds[seed / 64 % seeds.size()];
    size = std::min(chosen.size(), max_size);
    std::memcpy(data, chosen.data(), size);
    if (seed % 128 == 0) return size;
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
