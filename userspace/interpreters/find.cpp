// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "interpreters/interpreter.hpp"
#include "interpreters/php.hpp"
#include "interpreters/python.hpp"
#include "interpreters/ruby.hpp"

namespace connleak {

namespace {

// nullopt: not this language's.
using Finder = std::optional<FoundInterpreter> (*)(std::span<const MappedFile>, const Memory&);

constexpr Finder kFinders[] = {find_python, find_php, find_ruby};

}  // namespace

FoundInterpreter find_interpreter(std::span<const MappedFile> files, const Memory& memory) {
  FoundInterpreter not_understood;
  for (const Finder find : kFinders) {
    auto found = find(files, memory);
    if (!found) continue;
    if (found->interpreter) return *std::move(found);
    if (not_understood.why_not.empty()) not_understood.why_not = std::move(found->why_not);
    not_understood.not_yet = not_understood.not_yet || found->not_yet;
  }
  return not_understood;
}

}  // namespace connleak
