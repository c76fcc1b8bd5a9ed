// SPDX-License-Identifier: Apache-2.0
#include "symbols/stack_id.hpp"

#include "base/stack_hash.hpp"

namespace connleak {
namespace {

NameStyle style_of(Language language) {
  switch (language) {
    case Language::unknown:
    case Language::native:
    case Language::rust:
      return NameStyle::native;
    case Language::java:
      return NameStyle::java;
    case Language::go:
    case Language::python:
    case Language::ruby:
    case Language::php:
    case Language::javascript:
      return NameStyle::other;
  }
  return NameStyle::other;
}

}  // namespace

std::string stack_id(std::span<const SymbolFrame> frames) {
  StackHash hash;
  for (const SymbolFrame& frame : frames) {
    if (frame.function) {
      hash.frame(frame.module, *frame.function, style_of(frame.language));
    } else {
      hash.frame(frame.module, frame.offset);
    }
  }
  return hash.id();
}

}  // namespace connleak
