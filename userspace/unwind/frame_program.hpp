// SPDX-License-Identifier: Apache-2.0
// The programs of call frame information (DWARF 5, section 6.4.2): from an entry to the row of one address.
#pragma once

#include <cstdint>
#include <optional>

#include "unwind/frame_rules.hpp"
#include "unwind/frame_table.hpp"

namespace connleak {

// nullopt: the program makes no sense, or more of it than compilers do: states remembered 32 deep, expressions of
// more than 1 KiB together. Takes a step for each byte of it at most.
[[nodiscard]] std::optional<FrameRow> row_at(const FrameEntry& entry, std::uint64_t address);

}  // namespace connleak
