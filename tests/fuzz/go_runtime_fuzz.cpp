// SPDX-License-Identifier: Apache-2.0
// Any memory of a Go program shows its goroutines or none, in a bounded number of reads. A byte that says what
// lies beyond the memory (nothing, or the same again), the memory, which begins where the variables do.
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "elf_file.hpp"
#include "fuzz.hpp"
#include "fuzz_memory.hpp"
#include "interpreters/go_runtime.hpp"
#include "symbols/elf_image.hpp"

using namespace connleak;

namespace {

constexpr std::uint64_t kBase = FuzzMemory::kBase;
constexpr FuzzMemory::Limits kLimits = {20'000, std::size_t{4} << 20};  // some 5 ms

const GoRuntime& runtime() {
  static const GoRuntime known = [] {
    const Fd file = test::file_of(test::seed_file("go_runtime"));
    auto image = ElfImage::open(file.get());
    if (!image) std::abort();
    std::uint64_t text = 0;
    std::uint64_t data = 0;
    for (const auto& segment : image->segments()) {
      if (segment.executable) text = segment.address;
      if (segment.writable) data = segment.address + segment.file_size;
    }
    auto found = GoRuntime::open({"/srv/shop", kBase - data, &*image, nullptr}, text);
    if (!found) std::abort();
    return *std::move(found);
  }();
  return known;
}

bool found_in(std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return false;
  const auto layout = runtime().find(FuzzMemory(bytes.subspan(1), bytes[0] % 4 == 1, kLimits));
  if (layout && layout->running != -8) std::abort();
  return layout.has_value();
}

// A list of five goroutines, of which the second runs, as structures of this kind.
std::vector<std::uint8_t> goroutines(const GoStructs& structs) {
  constexpr std::size_t kList = 64, kFirst = 256, kSize = 512, kThread = 2900, kOwn = 3400;
  std::vector<std::uint8_t> bytes(1 + 4096);
  const auto put = [&](std::size_t at, std::uint64_t value) { std::memcpy(bytes.data() + 1 + at, &value, 8); };
  put(16, kBase + kList);
  put(24, 5);
  put(32, 8);
  for (std::size_t i = 0; i < 5; ++i) {
    const std::size_t g = kFirst + i * kSize;
    put(kList + i * 8, kBase + g);
    put(g, 0xc000000000);
    put(g + 8, 0xc000002000);
    put(g + structs.id, i + 1);
    put(g + structs.self, kBase + g);
  }
  put(kFirst + kSize + structs.thread, kBase + kThread + 4);
  put(kThread + 4, kBase + kOwn);
  put(kOwn + structs.thread, kBase + kThread + 4);
  return bytes;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)found_in({data, size});
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (const GoStructs& structs : known_go_structs("go1.24.1")) seeds.push_back(goroutines(structs));
  for (const auto& seed : seeds)
    if (!found_in(seed)) std::abort();
  return seeds;
}
