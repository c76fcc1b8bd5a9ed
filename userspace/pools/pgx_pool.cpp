// SPDX-License-Identifier: Apache-2.0
// puddle's pool.go: Pool.Stat().
#include "pools/pgx_pool.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "pools/structure.hpp"

namespace connleak {

namespace {

// puddle's constants of a resource's state.
enum : std::uint8_t { kConstructing, kIdle, kAcquired, kHijacked };

// All that is read in one go. Two that are equal and begin unlocked hold what was there between them: who acquires
// counts it in the structure, so nothing can change and change back.
struct Seen {
  Structure pool;
  std::vector<std::uint64_t> resources;
  std::vector<std::uint64_t> pools;
  std::vector<std::uint8_t> states;
  std::optional<Structure> semaphore;
  bool locked = false;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// sync.Mutex, there or behind a *sync.Cond.
std::optional<bool> locked(const PuddleLayout& layout, const Memory& memory, const Structure& pool) {
  if (layout.locker == kNoOffset) return is_locked(pool.word(layout.mutex));
  // The second word of an interface.
  const auto mutex = memory.value<std::uint64_t>(pool.word(layout.mutex) + layout.locker + 8);
  const auto state = mutex ? memory.value<std::uint64_t>(*mutex) : std::nullopt;
  return state ? std::optional(is_locked(*state)) : std::nullopt;
}

std::optional<Seen> look(const PuddleLayout& layout, const Memory& memory, const Structure& pool) {
  const Slice all(pool, layout.resources);
  const auto max_size = pool.at<std::int32_t>(layout.max_size);
  if (max_size <= 0 || !all.is_plausible() || all.length > static_cast<std::uint64_t>(max_size))
    return std::nullopt;
  const auto is_locked = locked(layout, memory, pool);
  auto resources = read_pointers(memory, all.data, all.length);
  if (!is_locked || !resources) return std::nullopt;
  auto pools = read_fields<std::uint64_t>(memory, *resources, layout.resource_pool);
  auto states = read_fields<std::uint8_t>(memory, *resources, layout.resource_state);
  if (!pools || !states) return std::nullopt;
  Seen seen{pool, *std::move(resources), *std::move(pools), *std::move(states), {}, *is_locked};
  if (layout.semaphore != kNoOffset) {
    const auto end = std::max({layout.semaphore_size, layout.semaphore_taken, layout.semaphore_waiting}) + 8;
    seen.semaphore = Structure::read(memory, pool.word(layout.semaphore), static_cast<Offset>(end));
    if (!seen.semaphore) return std::nullopt;
  }
  return seen;
}

std::optional<PoolReading> reading_of(const PuddleLayout& layout, const Seen& seen, std::uint64_t address) {
  if (std::ranges::any_of(seen.pools, [&](std::uint64_t pool) { return pool != address; })) return std::nullopt;
  PoolReading reading;
  PoolNumbers& numbers = reading.numbers;
  numbers.max_open = static_cast<std::uint32_t>(seen.pool.at<std::int32_t>(layout.max_size));
  numbers.acquire_count = seen.pool.word(layout.acquires);
  numbers.acquire_ns = seen.pool.at<std::int64_t>(layout.acquire_time);
  numbers.wait_count = seen.pool.word(layout.empty_acquires);
  if (layout.empty_time != kNoOffset) numbers.wait_ns = seen.pool.at<std::int64_t>(layout.empty_time);
  if (*numbers.acquire_count >= kMaxNumber || numbers.wait_count > *numbers.acquire_count ||
      *numbers.acquire_ns < 0 || numbers.wait_ns.value_or(0) < 0)
    return std::nullopt;
  if (seen.semaphore) {
    numbers.waiting = seen.semaphore->word(layout.semaphore_waiting);
    if (seen.semaphore->word(layout.semaphore_size) != numbers.max_open || *numbers.waiting >= kMaxNumber ||
        seen.semaphore->word(layout.semaphore_taken) > numbers.max_open)
      return std::nullopt;
  }
  numbers.opening = 0;
  for (std::size_t i = 0; i < seen.resources.size(); ++i) {
    MemberState state = MemberState::closed;
    switch (seen.states[i]) {
      case kConstructing:
        state = MemberState::opening;
        ++*numbers.opening;
        break;
      case kIdle:
        state = MemberState::idle;
        ++numbers.idle;
        break;
      case kAcquired:
        state = MemberState::in_use;
        ++numbers.in_use;
        break;
      case kHijacked:
        break;
      default:
        return std::nullopt;
    }
    reading.members.push_back({seen.resources[i], state});
  }
  numbers.open = *numbers.opening + numbers.idle + numbers.in_use;
  return reading;
}

}  // namespace

Result<PoolReading> read_pgx_pool(const PgxLayout& layout, const Memory& memory, std::uint64_t pool) {
  const auto unreadable = [&] {
    return failure(ErrorKind::failed, fmt::format("the memory at {:#x} cannot be read", pool));
  };
  // It never changes.
  const auto outer = Structure::read(memory, pool, static_cast<Offset>(layout.puddle + 8));
  if (!outer) return unreadable();
  const std::uint64_t puddle = outer->word(layout.puddle);
  std::optional<PoolReading> last;
  std::optional<Seen> before;
  for (int attempt = 0; attempt < kPoolAttempts + 1; ++attempt) {
    if (attempt > 1) std::this_thread::yield();
    const auto structure = Structure::read(memory, puddle, layout.pool.size);
    if (!structure) return unreadable();
    auto seen = look(layout.pool, memory, *structure);
    auto reading = seen ? reading_of(layout.pool, *seen, puddle) : std::nullopt;
    if (reading) {
      last = std::move(reading);
      last->settled = !seen->locked && seen == before;
      if (last->settled) break;
    }
    before = std::move(seen);
  }
  if (!last) return failure(ErrorKind::failed, fmt::format("what is at {:#x} is no pgxpool.Pool", pool));
  return *std::move(last);
}

}  // namespace connleak
