// SPDX-License-Identifier: Apache-2.0
#include "interpreters/script_text.hpp"

#include <span>

namespace connleak {

std::optional<std::string> read_script_text(const Memory& memory, std::uint64_t address, std::uint64_t length) {
  if (length == 0 || length > kMaxScriptText) return std::nullopt;
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!memory.read(address, std::as_writable_bytes(std::span(text)))) return std::nullopt;
  return text;
}

bool append_utf8(std::string& text, std::uint32_t code_point) {
  if (code_point > 0x10ffff) return false;
  if (code_point >= 0xd800 && code_point < 0xe000) code_point = 0xfffd;
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
    return true;
  }
  if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
  } else {
    if (code_point < 0x10000) {
      put(0xe0 | code_point >> 12);
    } else {
      put(0xf0 | code_point >> 18);
      put(0x80 | (code_point >> 12 & 0x3f));
    }
    put(0x80 | (code_point >> 6 & 0x3f));
  }
  put(0x80 | (code_point & 0x3f));
  return true;
}

}  // namespace connleak
