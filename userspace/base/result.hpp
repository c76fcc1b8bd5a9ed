// SPDX-License-Identifier: Apache-2.0
// Recoverable failure.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace connleak {

// What kind of failure it is decides the exit status (see README, "Exit status").
enum class ErrorKind {
  usage,        // command line, configuration or recording cannot be used: 2
  unsupported,  // kernel or privileges do not allow it: 3
  failed,       // failed after it had started: 1
};

// One clear sentence: what happened, to what, what to do next. No trailing newline.
struct Error {
  ErrorKind kind = ErrorKind::failed;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;

[[nodiscard]] inline tl::unexpected<Error> failure(ErrorKind kind, std::string message) {
  return tl::unexpected<Error>(Error{kind, std::move(message)});
}

// Adds what was being done to what went wrong.
[[nodiscard]] inline tl::unexpected<Error> within(std::string_view context, Error error) {
  error.message = std::string(context) + ": " + error.message;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace connleak
