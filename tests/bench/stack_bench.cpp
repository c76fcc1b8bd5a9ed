// SPDX-License-Identifier: Apache-2.0
// Stacks and names: a stack of 20 frames from a captured piece, an address named again, and the first name in each
// file that is given as an argument, with what it keeps in memory. The bars are 5 us, 30 ns, 100 ms of a file of
// 100 MB. stack_bench PROGRAM [FILE...]: PROGRAM waits in a deep stack (unit/unwind/c_subject.c).
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "unwind/stopped.hpp"
#include "unwind/unwinder.hpp"

using namespace connleak;

namespace {

using Clock = std::chrono::steady_clock;

template <class Work>
double nanoseconds(int rounds, const Work& work) {
  std::array<double, 5> each{};
  for (double& result : each) {
    const auto begin = Clock::now();
    for (int i = 0; i < rounds; ++i) work();
    result = std::chrono::duration<double, std::nano>(Clock::now() - begin).count() / rounds;
  }
  std::sort(each.begin(), each.end());
  return each[2];
}

std::size_t in_use() {
  const auto info = ::mallinfo2();
  return info.uordblks + info.hblkhd;
}

void measure_stacks(const char* program) {
  const test::Stopped subject({program, "recurse", "13"});
  const auto taken = subject.take(true);
  if (!taken) return;
  Symbolizer symbolizer;
  Unwinder unwinder(symbolizer);
  const auto begin = Clock::now();
  const auto stack = unwinder.unwind(subject.pid(), 0, *taken);
  const double first = std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  const double again = nanoseconds(10'000, [&] { (void)unwinder.unwind(subject.pid(), 0, *taken); });
  std::printf("%zu frames: first %.0f us, again %.2f us, %zu bytes of rows\n", stack.addresses.size(), first,
              again / 1000, unwinder.memory_bytes());
  std::size_t frames = 0;
  for (const auto address : stack.addresses) frames += symbolizer.resolve(subject.pid(), 0, address, true).size();
  std::size_t at = 0;
  const double named = nanoseconds(1'000'000, [&] {
    frames += symbolizer.resolve(subject.pid(), 0, stack.addresses[at], true).size();
    at = at + 1 == stack.addresses.size() ? 0 : at + 1;
  });
  std::printf("an address named again: %.1f ns\n", named);
}

void measure_file(const char* path) {
  Fd file(::open(path, O_RDONLY | O_CLOEXEC));
  const off_t size = ::lseek(file.get(), 0, SEEK_END);
  std::vector<char> chunk(1 << 20);
  for (off_t at = 0; ::pread(file.get(), chunk.data(), chunk.size(), at) > 0;)
    at += static_cast<off_t>(chunk.size());
  const std::size_t before = in_use();
  const auto begin = Clock::now();
  auto module = Module::open(std::move(file), path, [](const std::string&) { return Fd(); });
  if (!module) return;
  const auto& segments = (*module)->image().segments();
  const auto code = std::ranges::find_if(segments, [](const auto& segment) { return segment.executable; });
  if (code == segments.end()) return;
  const auto name_at = [&](std::uint64_t part) {
    return (*module)->resolve(code->offset + code->file_size / 16 * part + 64);
  };
  const auto frames = name_at(7);
  const double first = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  const std::size_t held = in_use() - before;
  const std::size_t said = (*module)->memory_bytes();
  const auto second = Clock::now();
  for (std::uint64_t i = 0; i < 16; ++i) (void)name_at(i);
  const double more = std::chrono::duration<double, std::milli>(Clock::now() - second).count() / 16;
  std::printf(
      "%4lld MB: first name %6.1f ms, others %6.2f ms, %5.1f MB held (said %.1f), then %5.1f MB (%.1f): %s in "
      "%s\n",
      static_cast<long long>(size >> 20), first, more, static_cast<double>(held) / 1e6,
      static_cast<double>(said) / 1e6, static_cast<double>(in_use() - before) / 1e6,
      static_cast<double>((*module)->memory_bytes()) / 1e6,
      frames.empty() ? "" : frames.front().function.value_or("?").substr(0, 60).c_str(), path);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) measure_stacks(arguments[1]);
  for (int i = 2; i < count; ++i) measure_file(arguments[i]);
  return 0;
}
