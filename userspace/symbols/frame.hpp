// SPDX-License-Identifier: Apache-2.0
// What an address of a process means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace connleak {

// The numbers are those of wire_language.
enum class Language : std::uint8_t {
  unknown = 0,
  native = 1,  // C, C++
  go = 2,
  rust = 3,
  python = 4,
  ruby = 5,
  php = 6,
  javascript = 7,
  java = 8
};

// One frame that an address stands for. Text comes from other processes' files: escape() it before it reaches a
// terminal or a file. What is not known is nullopt, never a guess.
struct SymbolFrame {
  std::optional<std::string> function;  // demangled where possible, else as the file has it
  std::optional<std::string> file;      // source file
  std::optional<std::uint32_t> line;    // source line, from 1
  std::string module;                   // soname, else file name without directory, else "[vdso]" and the like
  Language language = Language::unknown;
  std::uint64_t offset =
      0;                 // of the address as asked, in its module: the link-time address (what addr2line takes)
  bool inlined = false;  // this function was inlined into the next frame of the same address
  bool application = false;  // not libc, driver, pool or standard library; see application.hpp
};

}  // namespace connleak
