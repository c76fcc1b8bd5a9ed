// SPDX-License-Identifier: Apache-2.0
// The general registers of x86-64.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

namespace connleak {

// In the order of their numbers in machine code.
enum class Register : std::uint8_t { ax, cx, dx, bx, sp, bp, si, di, r8, r9, r10, r11, r12, r13, r14, r15 };
inline constexpr std::size_t kGeneralRegisters = 16;

// "rax"
[[nodiscard]] constexpr std::string_view name_of(Register reg) {
  constexpr std::array<std::string_view, kGeneralRegisters> names = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp",
                                                                     "rsi", "rdi", "r8",  "r9",  "r10", "r11",
                                                                     "r12", "r13", "r14", "r15"};
  static_assert(names.back() == "r15");
  return names[static_cast<std::size_t>(reg)];
}

// A set of them.
class RegisterSet {
 public:
  constexpr RegisterSet() = default;
  constexpr RegisterSet(std::initializer_list<Register> members) {
    for (const Register member : members) add(member);
  }
  constexpr void add(Register member) { bits_ = static_cast<std::uint16_t>(bits_ | bit(member)); }
  [[nodiscard]] constexpr bool contains(Register member) const { return (bits_ & bit(member)) != 0; }
  // One that is in both, the lowest number first.
  [[nodiscard]] constexpr std::optional<Register> common(RegisterSet other) const {
    for (std::size_t i = 0; i < kGeneralRegisters; ++i) {
      const auto member = static_cast<Register>(i);
      if (contains(member) && other.contains(member)) return member;
    }
    return std::nullopt;
  }
  constexpr bool operator==(const RegisterSet&) const = default;

 private:
  static constexpr unsigned bit(Register member) { return 1U << static_cast<unsigned>(member); }
  std::uint16_t bits_ = 0;
};

}  // namespace connleak
