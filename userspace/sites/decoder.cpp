// SPDX-License-Identifier: Apache-2.0
#include "sites/decoder.hpp"

namespace connleak {
namespace {

const ZydisDecoder& decoder() {
  static const ZydisDecoder instance = [] {
    ZydisDecoder made;
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return made;
  }();
  return instance;
}

const ZydisFormatter& formatter() {
  static const ZydisFormatter instance = [] {
    ZydisFormatter made;
    ZydisFormatterInit(&made, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&made, ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED);
    ZydisFormatterSetProperty(&made, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    return made;
  }();
  return instance;
}

}  // namespace

std::optional<Decoded> decode_operands(std::span<const std::byte> bytes) {
  Decoded decoded;
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), bytes.data(), bytes.size(), &decoded.instruction,
                                           decoded.operands.data())))
    return std::nullopt;
  return decoded;
}

std::string format(const Decoded& decoded, std::uint64_t address) {
  std::array<char, 128> text{};
  if (!ZYAN_SUCCESS(ZydisFormatterFormatInstruction(&formatter(), &decoded.instruction, decoded.operands.data(),
                                                    decoded.instruction.operand_count_visible, text.data(),
                                                    text.size(), address, nullptr)))
    return "?";
  return text.data();
}

std::optional<Register> general(ZydisRegister part) {
  const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, part);
  if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64) return std::nullopt;
  const auto number = ZydisRegisterGetId(whole);
  if (number < 0 || static_cast<std::size_t>(number) >= kGeneralRegisters) return std::nullopt;
  return static_cast<Register>(number);
}

}  // namespace connleak
