// SPDX-License-Identifier: Apache-2.0
#include "symbols/script_frame.hpp"

#include <string_view>
#include <utility>

namespace connleak {

namespace {

std::uint64_t fnv1a(std::string_view text, std::uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

const char* module_without_file(Language language) {
  switch (language) {
    case Language::python:
      return "[python]";
    case Language::ruby:
      return "[ruby]";
    case Language::php:
      return "[php]";
    case Language::javascript:
      return "[javascript]";
    case Language::java:
      return "[java]";
    case Language::unknown:
    case Language::native:
    case Language::go:
    case Language::rust:
      break;
  }
  return "[jit]";
}

}  // namespace

SymbolFrame script_frame_of(Language language, std::optional<std::string> function,
                            std::optional<std::string> file, std::optional<std::uint32_t> line) {
  SymbolFrame frame;
  frame.language = language;
  const std::uint64_t of_file = fnv1a(file ? *file : std::string_view(), 0xcbf29ce484222325U);
  const std::uint64_t with_nul = fnv1a(std::string_view("\0", 1), of_file);
  frame.offset = fnv1a(function ? *function : std::string_view(), with_nul);
  frame.module = file ? file->substr(file->rfind('/') + 1) : module_without_file(language);
  frame.function = std::move(function);
  frame.file = std::move(file);
  frame.line = line;
  return frame;
}

}  // namespace connleak
