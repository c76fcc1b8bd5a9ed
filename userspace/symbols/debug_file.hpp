// SPDX-License-Identifier: Apache-2.0
// Separate files with debug information.
#pragma once

#include <functional>
#include <string>

#include "base/fd.hpp"
#include "symbols/elf_image.hpp"

namespace connleak {

// Opens a regular file for reading by absolute path, or gives an empty Fd.
using FileOpener = std::function<Fd(const std::string& path)>;

// Looks where gdb looks: /usr/lib/debug/.build-id/xx/yyyy.debug, then .gnu_debuglink's name beside the module, in
// .debug/ there, and in /usr/lib/debug/DIRECTORY. Never asks the network. The file found has the module's build id
// or, where one of them has none, the link's checksum; a file that fits neither is passed over.
[[nodiscard]] Fd find_debug_file(const ElfImage& image, const std::string& module_path, const FileOpener& open);

}  // namespace connleak
