// SPDX-License-Identifier: Apache-2.0
// Where the numbers of pools are in the memory of Go programs, in bytes; of 64-bit programs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "symbols/dwarf_structs.hpp"
#include "symbols/go_build_info.hpp"

namespace connleak {

using Offset = std::uint16_t;
inline constexpr Offset kNoOffset = UINT16_MAX;  // this version has no such field

enum class SqlRequests : std::uint8_t {
  map,  // to Go 1.22: a map, which begins with its count
  set,  // a structure with nothing but a slice
};

// database/sql.DB and .driverConn.
struct SqlLayout {
  Offset size = 0;
  Offset waited = 0;     // nanoseconds
  Offset connector = 0;  // an interface
  Offset mutex = 0;
  Offset free = 0;  // a slice of the idle *driverConn
  Offset requests = 0;
  SqlRequests requests_are = SqlRequests::set;
  Offset open = 0;
  Offset max_open = 0;
  Offset waits = 0;
  Offset idle_closed = 0;
  Offset idle_time_closed = 0;
  Offset lifetime_closed = 0;
  Offset conn_size = 0;
  Offset conn_pool = 0;    // its *DB
  Offset conn_in_use = 0;  // both bytes are written under the pool's mutex
  Offset conn_closed = 0;
  friend bool operator==(const SqlLayout&, const SqlLayout&) = default;
};

// puddle.Pool, .Resource, and the semaphore.Weighted that requests pass.
struct PuddleLayout {
  Offset size = 0;
  Offset mutex = 0;   // or a *sync.Cond,
  Offset locker = 0;  // which has the mutex here, as an interface; else none
  Offset semaphore = 0;
  Offset semaphore_size = 0;
  Offset semaphore_taken = 0;
  Offset semaphore_waiting = 0;
  Offset resources = 0;  // a slice of all *Resource
  Offset max_size = 0;   // 32 bits
  Offset acquires = 0;
  Offset acquire_time = 0;  // nanoseconds
  Offset empty_acquires = 0;
  Offset empty_time = 0;  // from 2.2.2
  Offset resource_size = 0;
  Offset resource_pool = 0;
  Offset resource_state = 0;  // a byte
  friend bool operator==(const PuddleLayout&, const PuddleLayout&) = default;
};

struct PgxLayout {
  Offset puddle = 0;  // in a pgxpool.Pool: its *puddle.Pool
  PuddleLayout pool;
  friend bool operator==(const PgxLayout&, const PgxLayout&) = default;
};

// From the tables that tools/go-offsets writes; nullopt: a version that is not in there, nor between two of it
// that agree. Only releases: no development versions, betas, candidates or forks, whose numbers promise nothing.
[[nodiscard]] std::optional<SqlLayout> known_sql_layout(std::string_view go_version);
[[nodiscard]] std::optional<PgxLayout> known_pgx_layout(std::string_view pgx, std::string_view puddle);

// The names of the structures that the following need, for find_go_structs().
[[nodiscard]] std::span<const std::string_view> pool_struct_names();
[[nodiscard]] std::optional<SqlLayout> described_sql_layout(std::span<const DwarfStruct> structs);
[[nodiscard]] std::optional<PgxLayout> described_pgx_layout(std::span<const DwarfStruct> structs);

}  // namespace connleak
