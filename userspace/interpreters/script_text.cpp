// SPDX-License-Identifier: Apache-2.0
#include "interpreters/script_text.hpp"

namespace connleak {

std::optional<std::string> read_script_text(const Memory& memory, std::uint64_t address, std::uint64_t length) {
  if (length == 0 || length > kMaxScriptText) return std::nullopt;
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!memory.read(address, std::as_writable_bytes(std::span(text)))) return std::nullopt;
  return text;
}

}  // namespace connleak
