// SPDX-License-Identifier: Apache-2.0
// The name of a stack: equal in every run and on every host for equal stacks of one build, and across builds as
// long as the functions keep their names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace connleak {

enum class NameStyle {
  native,  // C, C++, Rust, and where it is not known
  java,    // Java, Kotlin, Scala
  other    // what the source says is what stays
};

// A function's name without what one build or run puts into it: "f" of "f.isra.0.cold" and of "f [clone .part.1]",
// "a::b" of "a::b::h0123456789abcdef"; of Java, the numbers of classes that are made at run time.
[[nodiscard]] std::string lasting_name(std::string_view function, NameStyle style);

// FNV-1a, 64 bits. For each frame, innermost first, inlined ones too: module, NUL, 1, the lasting name, NUL; where
// the function is not known: module, NUL, 2, the 8 bytes of the offset (little-endian). Frames, not addresses:
// whether a function was inlined does not show.
class StackHash {
 public:
  void frame(std::string_view module, std::string_view function, NameStyle style);
  void frame(std::string_view module, std::uint64_t offset);
  // In place of a frame: nothing is known of it.
  void address(std::uint64_t address);
  // 16 hexadecimal digits; that of no frames is "cbf29ce484222325".
  [[nodiscard]] std::string id() const;

 private:
  void byte(std::uint8_t value) { hash_ = (hash_ ^ value) * 0x100000001b3; }
  void text(std::string_view value);
  void number(std::uint64_t value);
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace connleak
