// SPDX-License-Identifier: Apache-2.0
#include "model/culprit_rules.hpp"

#include <fmt/format.h>

#include <optional>

#include "base/glob.hpp"
#include "base/text.hpp"

namespace connleak::model {
namespace {

// "function" of "function:main.*"; "" of "std::sort" and of "main.go".
std::string_view kind_of(std::string_view pattern) {
  const auto end = pattern.find_first_not_of("abcdefghijklmnopqrstuvwxyz_");
  if (end == std::string_view::npos || end == 0 || pattern[end] != ':') return {};
  return pattern.substr(end).starts_with("::") ? std::string_view() : pattern.substr(0, end);
}

bool fits_file(const std::string& glob, const std::string& file) {
  return glob_matches(glob, file) || (!glob.starts_with('/') && glob_matches("*/" + glob, file));
}

}  // namespace

Result<void> CulpritRules::add(Role role, std::string_view pattern) {
  const std::string_view kind = kind_of(pattern);
  Pattern made{role, Field::function_or_file, std::string(pattern)};
  if (kind == "function" || kind == "module" || kind == "file") {
    made.field = kind == "function" ? Field::function : kind == "module" ? Field::module : Field::file;
    made.glob = std::string(pattern.substr(kind.size() + 1));
  } else if (!kind.empty()) {
    return failure(ErrorKind::usage,
                   fmt::format("'{}:' of '{}' is no kind of pattern; write function:, module: or file: before it.",
                               escape(kind), escape(pattern)));
  }
  if (made.glob.find_first_not_of('*') == std::string::npos)
    return failure(
        ErrorKind::usage,
        fmt::format("'{}' names nothing; give a function, module or file, with * for any text.", escape(pattern)));
  patterns_.push_back(std::move(made));
  return {};
}

bool CulpritRules::fits(const Pattern& pattern, const StackFrame& frame) {
  switch (pattern.field) {
    case Field::function:
      return frame.function && glob_matches(pattern.glob, *frame.function);
    case Field::module:
      return frame.module && glob_matches(pattern.glob, *frame.module);
    case Field::file:
      return frame.file && fits_file(pattern.glob, *frame.file);
    case Field::function_or_file:
      return (frame.function && glob_matches(pattern.glob, *frame.function)) ||
             (frame.file && fits_file(pattern.glob, *frame.file));
  }
  return false;
}

void CulpritRules::apply(StackFrame& frame) const {
  bool is_library = false;
  bool is_application = false;
  for (const Pattern& pattern : patterns_) {
    if (!fits(pattern, frame)) continue;
    is_library = is_library || pattern.role == Role::library;
    is_application = is_application || pattern.role == Role::application;
    frame.helper = frame.helper || pattern.role == Role::helper;
  }
  if (is_library) frame.application = false;
  if (is_application) frame.application = true;
}

}  // namespace connleak::model
