// SPDX-License-Identifier: Apache-2.0
// Opening what a process has mapped, without trusting it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/fd.hpp"
#include "symbols/debug_file.hpp"
#include "symbols/maps.hpp"

namespace connleak {

// The directory of the process in /proc. It stays the directory of this process: when the process is gone every
// read through it fails, also if its pid is in use again. Empty: gone, or the start does not fit. start_ns:
// nanoseconds of the boot-time clock, 0 for not checked.
[[nodiscard]] Fd open_process(std::uint32_t pid, std::uint64_t start_ns);

// All of /proc/PID/maps; nullopt: gone or not permitted.
[[nodiscard]] std::optional<std::string> read_maps_text(const Fd& process);

// The mapped file itself, through map_files, else by its path below the process's root when that is the same
// inode. Regular files only, and none on FUSE: the user who serves it could make every read wait for ever.
[[nodiscard]] Fd open_mapped(const Fd& process, const MapsEntry& entry);

// The pid that the process has for itself: of several namespaces, the innermost.
[[nodiscard]] std::optional<std::uint32_t> pid_in_own_namespace(const Fd& process);

// A file that the process may have written, by path below its root, where links end too. Only a regular file, no
// link, not on FUSE, owned by root or the user of the process.
[[nodiscard]] Fd open_own_file(const Fd& process, const std::string& path);

// Opens by path below the process's root, then on this host.
[[nodiscard]] FileOpener debug_file_opener(const Fd& process);

}  // namespace connleak
