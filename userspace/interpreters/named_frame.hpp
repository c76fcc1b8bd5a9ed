// SPDX-License-Identifier: Apache-2.0
// From the frames of a walk to their names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "interpreters/interpreter.hpp"

namespace connleak {

// One frame of a walk. own: the interpreter's, no code of a script; broken: it does not hold together.
struct NamedFrame {
  enum class Kind : std::uint8_t { script, own, broken };
  Kind kind = Kind::broken;
  SymbolFrame frame;
};

// What Interpreter::name() returns, where name_one(script_frame) returns a NamedFrame for each.
template <class NameOne>
std::vector<SymbolFrame> name_frames(std::span<const script_frame> frames, NameOne&& name_one) {
  std::vector<SymbolFrame> named;
  for (const script_frame& frame : frames.first(std::min<std::size_t>(frames.size(), SCRIPT_FRAMES))) {
    NamedFrame one = name_one(frame);
    if (one.kind == NamedFrame::Kind::broken) break;
    if (one.kind == NamedFrame::Kind::script) named.push_back(std::move(one.frame));
  }
  return named;
}

}  // namespace connleak
