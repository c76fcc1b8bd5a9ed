// SPDX-License-Identifier: Apache-2.0
// Events to raw records: for what userspace adds to the stream (symbols, processes, scans, losses), and for tests.
#pragma once

#include <cstddef>
#include <vector>

#include "events/event.hpp"

namespace connleak {

// Appends the record of `event`: what Decoder makes the same event of, provided that it fits. Text is cut at
// its first NUL and to its field; where the strings of a process or symbol are too long together, the longest
// is cut. Frames beyond WIRE_FRAMES are left out.
void encode(const Event& event, std::vector<std::byte>& out);
[[nodiscard]] std::vector<std::byte> encode(const Event& event);

}  // namespace connleak
