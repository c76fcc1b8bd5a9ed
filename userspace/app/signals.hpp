// SPDX-License-Identifier: Apache-2.0
// SIGINT, SIGTERM, SIGHUP and SIGQUIT as values.
#pragma once

#include <optional>

#include "base/fd.hpp"

namespace connleak {

// Blocks the four signals for the process while it lives; make one before anything else.
class Signals {
 public:
  Signals();
  struct Arrived {
    int number = 0;
    bool from_terminal = false;  // the whole foreground group got it, a child included
  };
  // The next one that arrived; never blocks.
  [[nodiscard]] std::optional<Arrived> next() const;

 private:
  Fd fd_;
};

}  // namespace connleak
