// SPDX-License-Identifier: Apache-2.0
// What a user says of code that the built-in rule judges otherwise: --library, --application, --helper.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/stack.hpp"

namespace connleak::model {

// A value. Applied where frames enter the model, so that live streams and recordings, whose frames carry the
// built-in rule's answer, go the same way.
class CulpritRules {
 public:
  enum class Role {
    library,      // never the culprit
    application,  // may be it; stands above `library`
    helper        // the application's, but who calls it is to blame: never the culprit
  };

  // "function:GLOB", "module:GLOB" or "file:GLOB"; without a kind it is the function's name or the file's. GLOB as
  // in base/glob.hpp; that of a file also fits the end of its path, behind a slash. ErrorKind::usage for one that
  // is empty, fits everything, or starts with an unknown kind.
  [[nodiscard]] Result<void> add(Role role, std::string_view pattern);

  // Sets `application` and `helper` where a pattern fits.
  void apply(StackFrame& frame) const;

 private:
  enum class Field { function, module, file, function_or_file };
  struct Pattern {
    Role role = Role::library;
    Field field = Field::function_or_file;
    std::string glob;
  };
  [[nodiscard]] static bool fits(const Pattern& pattern, const StackFrame& frame);
  std::vector<Pattern> patterns_;
};

}  // namespace connleak::model

namespace connleak {
using model::CulpritRules;
}  // namespace connleak
