// SPDX-License-Identifier: Apache-2.0
// Any registers, stack and file lead to rows or to none, and up the stack to an end. Nine registers, a byte that
// says how many words of stack follow, the file.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "elf_file.hpp"
#include "fuzz.hpp"
#include "unwind/call_frames.hpp"
#include "unwind/unwinder.hpp"

using namespace connleak;

namespace {

constexpr std::uint64_t kStack = 0x7ffc'0000'0000;

struct Input {
  std::array<std::uint64_t, CAPTURE_REGISTERS> registers{};
  std::vector<std::uint64_t> stack;
  std::span<const std::uint8_t> file;
};

Input read(std::span<const std::uint8_t> bytes) {
  Input input;
  constexpr std::size_t kFixed = sizeof input.registers + 1;
  if (bytes.size() < kFixed) return input;
  std::memcpy(input.registers.data(), bytes.data(), sizeof input.registers);
  bytes = bytes.subspan(kFixed - 1);
  input.stack.resize(std::min<std::size_t>(bytes[0], (bytes.size() - 1) / 8));
  std::ranges::copy(std::as_bytes(bytes.subspan(1, input.stack.size() * 8)),
                    std::as_writable_bytes(std::span(input.stack)).begin());
  input.file = bytes.subspan(1 + input.stack.size() * 8);
  return input;
}

void check_rows(const Input& input) {
  const Fd file = test::file_of(input.file);
  const auto image = ElfImage::open(file.get());
  if (!image) return;
  CallFrames frames(*image);
  // A word that is no small number is taken for itself, others as a place in the stack.
  Registers start;
  constexpr std::size_t kOrder[] = {kBx, kBp, kSp, kR12, kR12 + 1, kR12 + 2, kR12 + 3};
  for (std::size_t i = 0; i < std::size(kOrder); ++i)
    start[kOrder[i]] = input.registers[i] < 4096 ? kStack + input.registers[i] : input.registers[i];
  for (const auto& segment : image->segments()) {
    for (std::uint64_t at = 0; segment.executable && at < std::min<std::uint64_t>(segment.file_size, 4096);
         at += 13) {
      Registers registers = start;
      registers[kReturnAddress] = segment.address + at;
      StackMemory memory(kStack, std::as_bytes(std::span(input.stack)));
      for (int depth = 0; depth < WIRE_FRAMES; ++depth) {
        const FrameRow* row = frames.row(*registers[kReturnAddress]);
        const auto caller = row != nullptr ? apply(*row, registers, memory) : std::nullopt;
        if (!caller) break;
        if (!caller->values[kSp] || !caller->values[kReturnAddress]) std::abort();
        registers = *caller;
      }
    }
  }
  if (frames.memory_bytes() > std::size_t{32} << 20) std::abort();
}

// In this process, whose files are real ones.
void check_stack(const Input& input) {
  static Symbolizer symbolizer;
  static Unwinder unwinder(symbolizer, {.files = 4, .bytes = 1 << 20});
  static const auto code = reinterpret_cast<std::uint64_t>(&LLVMFuzzerTestOneInput);
  capture captured{};
  captured.stack.form = CAPTURE_RAW;
  std::memcpy(captured.stack.registers, input.registers.data(), sizeof captured.stack.registers);
  captured.stack.registers[CAPTURE_IP] = code + input.registers[CAPTURE_IP] % 4096;
  captured.stack.size = static_cast<std::uint16_t>(input.stack.size() * 8);
  std::ranges::copy(std::as_bytes(std::span(input.stack)), reinterpret_cast<std::byte*>(captured.stack.data));
  const auto found = unwinder.unwind(static_cast<std::uint32_t>(::getpid()), 0, captured);
  if (found.addresses.size() > WIRE_FRAMES || found.cut_at != 0) std::abort();
  if (unwinder.memory_bytes() > (1 << 20) + (6 << 20)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Input input = read({data, size});
  check_rows(input);
  check_stack(input);
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (const char* name : {"frames", "frames_stripped", "frames_unsorted"}) {
    const auto file = test::seed_file(name);
    const Fd opened = test::file_of(file);
    const auto image = ElfImage::open(opened.get());
    std::uint64_t code = 0;
    for (const auto& segment : image->segments())
      if (segment.executable) code = segment.address + segment.file_size / 2;
    auto& seed = seeds.emplace_back(CAPTURE_REGISTERS * 8);
    // rbp and rsp; a stack in which every other word is code.
    seed[8] = 64;
    seed.push_back(64);
    for (int i = 0; i < 64; ++i) {
      const std::uint64_t word =
          i % 2 != 0 ? code + static_cast<std::uint64_t>(i) : kStack + 16 * static_cast<std::uint64_t>(i);
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(&word);
      seed.insert(seed.end(), bytes, bytes + 8);
    }
    seed.insert(seed.end(), file.begin(), file.end());
  }
  return seeds;
}
