// SPDX-License-Identifier: Apache-2.0
// What Linux does with an instruction that a probe replaces by a trap (arch/x86/kernel/uprobes.c, 5.11 to 7.x).
#pragma once

#include <string_view>

#include "sites/instruction.hpp"

namespace connleak {

enum class Handling : unsigned char {
  emulated,  // done by the kernel while it is there: cheap
  stepped,   // a copy of it runs alone, with a second trap behind it: dear
  forbidden  // refused by some kernel, or not safe on some
};

struct Ruling {
  Handling handling = Handling::forbidden;
  std::string_view reason;  // of forbidden: completes "a probe cannot be placed at ..., as "
};

// Narrower than any one kernel: what is emulated is so in all of them, and what only one of them refuses, skips
// wrongly or overwrites is forbidden.
[[nodiscard]] Ruling rule_on(const Instruction& instruction);

}  // namespace connleak
