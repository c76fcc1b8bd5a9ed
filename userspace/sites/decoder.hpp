// SPDX-License-Identifier: Apache-2.0
// Zydis, for the inside of this folder.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "sites/registers.hpp"

namespace connleak {

struct Decoded {
  ZydisDecodedInstruction instruction;
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
  [[nodiscard]] std::span<const ZydisDecodedOperand> all() const {
    return std::span(operands).first(instruction.operand_count);
  }
  // Without those that the instruction implies.
  [[nodiscard]] std::span<const ZydisDecodedOperand> written() const {
    return std::span(operands).first(instruction.operand_count_visible);
  }
};

// The instruction that the bytes begin with, in 64-bit mode; nullopt where they are none, or not whole.
[[nodiscard]] std::optional<Decoded> decode_operands(std::span<const std::byte> bytes);

// "cmp rsp, [r14+0x10]"
[[nodiscard]] std::string format(const Decoded& decoded, std::uint64_t address);

// The whole register of which this is a part (rax of al); nullopt: not a general one.
[[nodiscard]] std::optional<Register> general(ZydisRegister part);

}  // namespace connleak
