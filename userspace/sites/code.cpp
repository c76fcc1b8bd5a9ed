// SPDX-License-Identifier: Apache-2.0
#include "sites/code.hpp"

#include <elf.h>
#include <fmt/format.h>

#include <algorithm>

namespace connleak {

Result<Code> Code::read(const ElfImage& image, const FunctionRange& range) {
  if (!image.is_64_bit_little_endian() || image.machine() != EM_X86_64)
    return failure(
        ErrorKind::unsupported,
        fmt::format("its code is for machine {}, and probes are placed in x86-64 only", image.machine()));
  if (range.size == 0) return failure(ErrorKind::unsupported, "its size is not known");
  if (range.size > kMaxBytes)
    return failure(ErrorKind::unsupported,
                   fmt::format("it has {} bytes, more than the {} that are read", range.size, kMaxBytes));
  if (!image.is_code(range.address) || !image.is_code(range.address + (range.size - 1)))
    return failure(ErrorKind::unsupported, fmt::format("{:#x} is not in the file's code", range.address));
  std::vector<std::byte> bytes(range.size);
  if (image.read(range.address, bytes) != bytes.size())
    return failure(ErrorKind::unsupported, "its code is not wholly in the file");
  return decode(bytes, range.address);
}

Result<Code> Code::decode(std::span<const std::byte> bytes, std::uint64_t address) {
  if (bytes.empty() || bytes.size() > kMaxBytes || address + bytes.size() < address)
    return failure(ErrorKind::unsupported, "its range makes no sense");
  Code code;
  code.range_ = {address, bytes.size()};
  for (std::size_t at = 0; at < bytes.size();) {
    const auto instruction =
        connleak::decode(bytes.subspan(at, std::min(kMaxInstruction, bytes.size() - at)), address + at);
    if (!instruction)
      return failure(ErrorKind::unsupported,
                     fmt::format("there is no instruction at {:#x}, {} bytes from its start", address + at, at));
    // A function that calls itself is called.
    const bool recursion = instruction->kind == InstructionKind::call && instruction->target == address;
    if (instruction->target && code.range_.contains(*instruction->target) && !recursion)
      code.targets_.push_back(*instruction->target);
    at += instruction->length;
    code.instructions_.push_back(*instruction);
  }
  std::ranges::sort(code.targets_);
  code.targets_.erase(std::ranges::unique(code.targets_).begin(), code.targets_.end());
  auto next = code.instructions_.begin();
  for (const std::uint64_t target : code.targets_) {
    next = std::ranges::lower_bound(next, code.instructions_.end(), target, {}, &Instruction::address);
    if (next == code.instructions_.end() || next->address != target)
      return failure(ErrorKind::unsupported, fmt::format("a jump leads into an instruction, to {:#x}", target));
  }
  return code;
}

bool Code::is_target(std::uint64_t address) const { return std::ranges::binary_search(targets_, address); }

const Instruction* Code::computed_jump() const {
  const auto found = std::ranges::find_if(instructions_, [](const Instruction& instruction) {
    return instruction.kind == InstructionKind::jump && !instruction.target;
  });
  return found == instructions_.end() ? nullptr : &*found;
}

}  // namespace connleak
