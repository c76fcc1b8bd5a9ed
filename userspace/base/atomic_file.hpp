// SPDX-License-Identifier: Apache-2.0
// Files written whole or not at all, and lines appended whole.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace connleak {

// Writes everything, across short writes and interruptions. `name` is what the error calls the file.
[[nodiscard]] Result<void> write_all(int fd, std::string_view bytes, std::string_view name);

// Replaces the file at `path`: a temporary file beside it, fsync, rename. A reader sees the old content or
// the new, never a part; after a failure the old one is still there and nothing else is. Symbolic links are
// followed, mode and owner of a replaced file are kept, a new file gets 0666 less the umask. What is no
// regular file (a terminal, a pipe, /dev/null) is written to as it is.
[[nodiscard]] Result<void> write_whole(const std::string& path, std::string_view content);

// Appends `line` and a newline, creating the file. A line that did not fit (disk full) is taken back.
[[nodiscard]] Result<void> append_line(const std::string& path, std::string_view line);

}  // namespace connleak
