// SPDX-License-Identifier: Apache-2.0
// From a place in Python's bytecode to a source line. `offset` is in bytes of bytecode, before its start for what
// has not begun; `first` is co_firstlineno. Any bytes may come: what has no line, or one below 1, is nullopt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace connleak {

// co_lnotab, to 3.9: Objects/lnotab_notes.txt.
[[nodiscard]] std::optional<std::uint32_t> line_of_lnotab(std::span<const std::byte> table, std::int32_t first,
                                                          std::int64_t offset);
// co_linetable of 3.10: PEP 626 and Objects/lnotab_notes.txt.
[[nodiscard]] std::optional<std::uint32_t> line_of_ranges(std::span<const std::byte> table, std::int32_t first,
                                                          std::int64_t offset);
// co_linetable from 3.11 on: PEP 657 and Objects/locations.md.
[[nodiscard]] std::optional<std::uint32_t> line_of_locations(std::span<const std::byte> table, std::int32_t first,
                                                             std::int64_t offset);

}  // namespace connleak
