// SPDX-License-Identifier: Apache-2.0
#include "interpreters/named_frame.hpp"

#include <string_view>
#include <utility>

namespace connleak {

namespace {

std::uint64_t fnv1a(std::uint64_t hash, std::string_view bytes) {
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace

SymbolFrame named_frame(Language language, std::optional<std::string> function, std::optional<std::string> file,
                        std::optional<std::uint32_t> line) {
  SymbolFrame frame;
  frame.language = language;
  if (file) frame.module = file->substr(file->rfind('/') + 1);
  const std::uint64_t of_file = fnv1a(0xcbf29ce484222325, file ? std::string_view(*file) : std::string_view());
  const std::uint64_t with_nul = fnv1a(of_file, std::string_view("\0", 1));
  frame.offset = fnv1a(with_nul, function ? std::string_view(*function) : std::string_view());
  frame.function = std::move(function);
  frame.file = std::move(file);
  frame.line = line;
  return frame;
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
