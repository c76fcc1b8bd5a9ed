// SPDX-License-Identifier: Apache-2.0
// The thin driver under `top`: the only code of this folder that touches a terminal.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace connleak {

struct TerminalSize {
  int width = 80;
  int height = 24;
};

// On a terminal: takes the alternate screen and hides the cursor until destroyed; each draw() repaints in
// place, without flicker. Elsewhere (pipe, file): each draw() appends its lines and an empty one. The caller
// turns SIGINT and SIGTERM into an ordinary end of its loop, so that the destructor runs. Not copyable.
class Terminal {
 public:
  explicit Terminal(int fd);  // borrowed; must outlive the Terminal
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  [[nodiscard]] bool interactive() const { return interactive_; }
  // As it is now; 80 x 24 where nobody knows.
  [[nodiscard]] TerminalSize size() const;
  // Lines are ready to print: escaped, no line feeds. Fails when the reader has gone.
  [[nodiscard]] Result<void> draw(const std::vector<std::string>& lines);

 private:
  [[nodiscard]] Result<void> write_all(const std::string& bytes) const;
  int fd_;
  bool interactive_;
  bool entered_ = false;
};

}  // namespace connleak
