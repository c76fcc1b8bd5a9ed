// SPDX-License-Identifier: Apache-2.0
// Which instruction of a function may carry a probe (uprobe): one that the kernel emulates, if there is one at
// which what the probe is to read is still what it was at the wanted place. Reads the file and nothing else.
//
// Every failure is a reason to skip, in words for people, and says nothing of the function's name. The registers
// and the order of arguments: System V ABI for x86-64; Go's cmd/compile/abi-internal.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "sites/code.hpp"
#include "sites/registers.hpp"
#include "symbols/elf_image.hpp"

namespace connleak {

struct Site {
  std::uint64_t offset = 0;      // in the file
  std::uint64_t address = 0;     // link-time
  std::vector<std::byte> bytes;  // of the instruction: see is_unchanged
  std::string instruction;       // "jbe 0x4c80be"
  bool emulated = false;         // else single-stepped, many times dearer: README.md
  std::string obstacle;          // why no emulated one was reached; "" where it is one
  bool may_repeat = false;  // one call of the function may pass it more than once: Go's does when its stack grows
  std::uint32_t slid = 0;   // bytes behind the wanted place
  std::int32_t stack_moved = 0;  // bytes that rsp is below its value at the wanted place
};

enum class Abi : std::uint8_t {
  system_v,
  go  // register arguments, r14 is the goroutine: amd64 since Go 1.17
};

// The entry of a function, or the first emulated instruction behind it that is reached on every call, by nothing
// else, with the `wanted` registers untouched. Moves of rsp by a constant are followed unless it is wanted.
[[nodiscard]] Result<Site> entry_site(const ElfImage& image, const FunctionRange& function, RegisterSet wanted,
                                      Abi abi);

struct CallSite {
  std::uint64_t call = 0;  // link-time address of the call
  Result<Site> site;
};

// Behind each direct call of `callee` (link-time), at the place that it returns to or an emulated instruction
// behind it, as above. Empty where it is not called. A `callee` that is reached through the linkage table is the
// entry in that table.
[[nodiscard]] Result<std::vector<CallSite>> after_call_sites(const ElfImage& image, const FunctionRange& function,
                                                             std::uint64_t callee, RegisterSet wanted, Abi abi);

// All places where the function returns, single-stepped. Fails where it may be left otherwise: by a jump.
[[nodiscard]] Result<std::vector<Site>> return_sites(const ElfImage& image, const FunctionRange& function);

// The file still has the site's instruction: to be asked right before a probe is attached.
[[nodiscard]] bool is_unchanged(const ElfImage& image, const Site& site);

}  // namespace connleak
