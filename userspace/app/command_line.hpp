// SPDX-License-Identifier: Apache-2.0
// argv and --config -> Options.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>

#include "app/options.hpp"
#include "base/result.hpp"

namespace connleak {

// --help and --version: text for standard output, status 0.
struct Printed {
  std::string text;
};

// Never exits and never prints. Errors are ErrorKind::usage with one sentence.
[[nodiscard]] Result<std::variant<Options, Printed>> parse_command_line(std::span<const char* const> argv);

}  // namespace connleak
