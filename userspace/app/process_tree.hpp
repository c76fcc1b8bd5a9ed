// SPDX-License-Identifier: Apache-2.0
// Which processes descend from which, as /proc tells it now.
#pragma once

#include <cstdint>
#include <vector>

namespace connleak {

// False for zombies, too: nothing of them holds a connection.
[[nodiscard]] bool process_exists(std::uint32_t pid);

// The roots and everything below them.
[[nodiscard]] std::vector<std::uint32_t> descendants(const std::vector<std::uint32_t>& roots);

}  // namespace connleak
