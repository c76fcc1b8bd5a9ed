// SPDX-License-Identifier: Apache-2.0
// Feeds a fuzz target mutations of its seeds, the same at each run: N inputs, 20,000 unless told.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "fuzz.hpp"

namespace {

using Input = std::vector<std::uint8_t>;

void mutate(Input& input, std::mt19937_64& random) {
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  if (input.empty()) {
    input.push_back(static_cast<std::uint8_t>(random()));
    return;
  }
  const std::size_t at = below(input.size());
  const auto here = input.begin() + static_cast<std::ptrdiff_t>(at);
  static constexpr std::uint8_t telling[] = {0x00, 0x01, 0x07, 0x08, 0x10, 0x7f, 0x80, 0xff};
  switch (below(6)) {
    case 0:
      *here = static_cast<std::uint8_t>(*here ^ (1u << below(8)));
      break;
    case 1:
      *here = telling[below(std::size(telling))];
      break;
    case 2:
      input.resize(at);
      break;
    case 3:
      input.erase(here,
                  here + static_cast<std::ptrdiff_t>(std::min<std::size_t>(input.size() - at, 1 + below(16))));
      break;
    case 4:
      input.insert(here, 1 + below(16), static_cast<std::uint8_t>(random()));
      break;
    case 5:
      std::fill(here, here + static_cast<std::ptrdiff_t>(std::min<std::size_t>(input.size() - at, 8)),
                telling[below(8)]);
      break;
  }
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned long inputs = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 20'000;
  const std::vector<Input> seeds = fuzz_seeds();
  for (const Input& seed : seeds) LLVMFuzzerTestOneInput(seed.data(), seed.size());
  std::mt19937_64 random(1);
  for (unsigned long i = 0; i < inputs; ++i) {
    Input input = seeds[random() % seeds.size()];
    for (std::uint64_t changes = 1 + random() % 4; changes > 0; --changes) mutate(input, random);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  }
  std::printf("%zu seeds and %lu mutations\n", seeds.size(), inputs);
  return 0;
}
