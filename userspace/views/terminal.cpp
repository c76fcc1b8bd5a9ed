// SPDX-License-Identifier: Apache-2.0
// Redraws in place with the few sequences that every terminal of the last decades knows.
#include "views/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace connleak {

Terminal::Terminal(int fd) : fd_(fd), interactive_(::isatty(fd) == 1) {}

Terminal::~Terminal() {
  if (entered_) static_cast<void>(write_all("\x1b[0m\x1b[?25h\x1b[?1049l"));
}

TerminalSize Terminal::size() const {
  winsize window{};
  if (::ioctl(fd_, TIOCGWINSZ, &window) != 0 || window.ws_col == 0 || window.ws_row == 0) return {};
  return {window.ws_col, window.ws_row};
}

Result<void> Terminal::draw(const std::vector<std::string>& lines) {
  std::string bytes;
  if (interactive_ && !entered_) {
    bytes += "\x1b[?1049h\x1b[?25l";
    entered_ = true;
  }
  if (interactive_) bytes += "\x1b[H";
  bool first = true;
  for (const auto& line : lines) {
    // A line feed after the last line of a full screen would scroll the first one away.
    if (!first) bytes += interactive_ ? "\r\n" : "\n";
    first = false;
    bytes += line;
    if (interactive_) bytes += "\x1b[K";
  }
  bytes += interactive_ ? "\x1b[J" : "\n\n";
  return write_all(bytes);
}

Result<void> Terminal::write_all(const std::string& bytes) const {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      return failure(ErrorKind::failed, std::string("cannot write to the terminal: ") + std::strerror(errno));
    }
    done += static_cast<std::size_t>(n);
  }
  return {};
}

}  // namespace connleak
