// SPDX-License-Identifier: Apache-2.0
// Go's database/sql/sql.go: DB.Stats().
#include "pools/sql_pool.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <thread>

#include "pools/structure.hpp"

namespace connleak {

namespace {

// What the structure itself says; nullopt: it is none.
std::optional<PoolNumbers> numbers_of(const SqlLayout& layout, const Structure& db) {
  const Slice free(db, layout.free);
  PoolNumbers numbers;
  numbers.max_open = db.word(layout.max_open);
  numbers.open = db.word(layout.open);
  numbers.idle = free.length;
  numbers.in_use = numbers.open - numbers.idle;
  numbers.wait_count = db.word(layout.waits);
  numbers.wait_ns = db.at<std::int64_t>(layout.waited);
  numbers.max_idle_closed = db.word(layout.idle_closed);
  numbers.max_idle_time_closed = db.word(layout.idle_time_closed);
  numbers.max_lifetime_closed = db.word(layout.lifetime_closed);
  // Counts are signed there and never negative.
  const auto counts = {numbers.max_open,
                       numbers.open,
                       numbers.wait_count,
                       *numbers.max_idle_closed,
                       *numbers.max_idle_time_closed,
                       *numbers.max_lifetime_closed};
  const bool is_plausible = std::ranges::all_of(counts, [](std::uint64_t count) { return count < kMaxNumber; }) &&
                            free.is_plausible() && numbers.idle <= numbers.open && *numbers.wait_ns >= 0 &&
                            db.word(layout.connector) != 0;
  return is_plausible ? std::optional(numbers) : std::nullopt;
}

std::optional<std::uint64_t> waiting(const SqlLayout& layout, const Memory& memory, const Structure& db) {
  std::uint64_t count = 0;
  switch (layout.requests_are) {
    case SqlRequests::map:
      if (const std::uint64_t map = db.word(layout.requests); map != 0) {
        const auto found = map % 8 == 0 ? memory.value<std::uint64_t>(map) : std::nullopt;
        if (!found) return std::nullopt;
        count = *found;
      }
      break;
    case SqlRequests::set:
      const Slice requests(db, layout.requests);
      if (!requests.is_plausible()) return std::nullopt;
      count = requests.length;
      break;
  }
  return count < kMaxNumber ? std::optional(count) : std::nullopt;
}

// Idle connections; nullopt: they are no such, or have been replaced meanwhile.
std::optional<std::vector<PoolMember>> idle_members(const SqlLayout& layout, const Memory& memory,
                                                    const Structure& db, std::uint64_t pool) {
  const Slice free(db, layout.free);
  const auto conns = read_pointers(memory, free.data, free.length);
  const auto pools = conns ? read_fields<std::uint64_t>(memory, *conns, layout.conn_pool) : std::nullopt;
  if (!pools || std::ranges::any_of(*pools, [&](std::uint64_t its) { return its != pool; })) return std::nullopt;
  std::vector<PoolMember> members;
  members.reserve(conns->size());
  for (const std::uint64_t conn : *conns) members.push_back({conn, MemberState::idle});
  return members;
}

}  // namespace

Result<PoolReading> read_sql_pool(const SqlLayout& layout, const Memory& memory, std::uint64_t pool) {
  std::optional<PoolReading> last;
  for (int attempt = 0; attempt < kPoolAttempts; ++attempt) {
    // Whoever changes the pool has no say in when this thread runs; give way to it.
    if (attempt != 0) std::this_thread::yield();
    const auto before = Structure::read(memory, pool, layout.size);
    if (!before) return failure(ErrorKind::failed, fmt::format("the memory at {:#x} cannot be read", pool));
    const auto numbers = numbers_of(layout, *before);
    const auto requests = numbers ? waiting(layout, memory, *before) : std::nullopt;
    auto members = requests ? idle_members(layout, memory, *before, pool) : std::nullopt;
    if (!members) continue;
    const auto after = Structure::read(memory, pool, layout.size);
    last = PoolReading{*numbers, *std::move(members), after == before && !is_locked(before->word(layout.mutex))};
    last->numbers.waiting = requests;
    if (last->settled) break;
  }
  if (!last) return failure(ErrorKind::failed, fmt::format("what is at {:#x} is no sql.DB", pool));
  return *std::move(last);
}

std::optional<MemberState> sql_member(const SqlLayout& layout, const Memory& memory, std::uint64_t pool,
                                      std::uint64_t conn) {
  const auto found = Structure::read(memory, conn, layout.conn_size);
  if (!found || found->word(layout.conn_pool) != pool) return std::nullopt;
  const auto in_use = found->at<std::uint8_t>(layout.conn_in_use);
  const auto closed = found->at<std::uint8_t>(layout.conn_closed);
  if (in_use > 1 || closed > 1) return std::nullopt;
  if (closed != 0) return MemberState::closed;
  return in_use != 0 ? MemberState::in_use : MemberState::idle;
}

}  // namespace connleak
