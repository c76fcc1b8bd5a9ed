// SPDX-License-Identifier: Apache-2.0
// Any memory of a process is a pool whose numbers hold together or none, in a bounded number of reads. A byte that
// says which layout it is, one that says what lies beyond the memory (nothing, or the same again), the memory.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "fuzz.hpp"
#include "fuzz_memory.hpp"
#include "pools/pgx_pool.hpp"
#include "pools/sql_pool.hpp"
#include "pools/structure.hpp"

using namespace connleak;

namespace {

constexpr std::uint64_t kBase = FuzzMemory::kBase;  // of the memory, which begins with the pool
// A slice of kMaxMembers, and two fields of each of them, at each attempt.
constexpr std::size_t kMaxReads = 20 * kMaxMembers * 3;

constexpr FuzzMemory::Limits kLimits = {kMaxReads, kMaxMembers * 8};

constexpr const char* kGo[] = {"go1.19.8", "go1.27.3"};
constexpr std::pair<const char*, const char*> kPgx[] = {
    {"v5.0.0", "v2.0.0"}, {"v5.5.5", "v2.2.1"}, {"v5.12.0", "v2.2.2"}};

std::size_t members(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < 2) return 0;
  const std::size_t number = bytes[0] % (std::size(kGo) + std::size(kPgx));
  const FuzzMemory memory(bytes.subspan(2), bytes[1] % 4 == 1, kLimits);
  const bool is_sql = number < std::size(kGo);
  Result<PoolReading> reading = failure(ErrorKind::failed, "");
  if (is_sql) {
    const auto layout = *known_sql_layout(kGo[number]);
    reading = read_sql_pool(layout, memory, kBase);
    (void)sql_member(layout, memory, kBase, kBase + 512);
  } else {
    const auto& [pgx, puddle] = kPgx[number - std::size(kGo)];
    reading = read_pgx_pool(*known_pgx_layout(pgx, puddle), memory, kBase);
  }
  if (!reading) return 0;
  const PoolNumbers& numbers = reading->numbers;
  const auto idle = std::ranges::count(reading->members, MemberState::idle, &PoolMember::state);
  if (numbers.in_use + numbers.idle + numbers.opening.value_or(0) != numbers.open ||
      numbers.idle != static_cast<std::uint64_t>(idle) || reading->members.size() > kMaxMembers)
    std::abort();
  return 1 + reading->members.size();
}

// Memory in the making.
class Arena {
 public:
  explicit Arena(std::size_t number) : bytes_(2 + 2048) { bytes_[0] = static_cast<std::uint8_t>(number); }
  template <class T>
  void put(std::size_t at, T value) {
    std::memcpy(bytes_.data() + 2 + at, &value, sizeof value);
  }
  void link(std::size_t at, std::size_t to) { put(at, kBase + to); }
  // A slice of pointers to `count` things of `size` bytes, each with a pointer to the pool.
  void slice(std::size_t at, std::size_t array, std::uint64_t count, std::size_t things, std::size_t size,
             std::size_t owner, std::size_t pool) {
    link(at, array);
    put(at + 8, count);
    put(at + 16, count);
    for (std::size_t i = 0; i < count; ++i) {
      link(array + i * 8, things + i * size);
      link(things + i * size + owner, pool);
    }
  }
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::vector<std::uint8_t> sql_pool(std::size_t number) {
  const auto layout = *known_sql_layout(kGo[number]);
  Arena arena(number);
  arena.link(layout.connector, 8);
  arena.put(layout.open, std::uint64_t{5});
  arena.put(layout.max_open, std::uint64_t{8});
  arena.slice(layout.free, 256, 3, 512, layout.conn_size, layout.conn_pool, 0);
  if (layout.requests_are == SqlRequests::map) {
    arena.link(layout.requests, 1024);
    arena.put(1024, std::uint64_t{2});
  }
  return std::move(arena).take();
}

std::vector<std::uint8_t> pgx_pool(std::size_t number) {
  constexpr std::size_t kPuddle = 64, kArray = 256, kResources = 512, kSemaphore = 1024, kCond = 1200,
                        kMutex = 1300;
  const auto& [pgx, puddle] = kPgx[number - std::size(kGo)];
  const auto [field, layout] = *known_pgx_layout(pgx, puddle);
  Arena arena(number);
  arena.link(field, kPuddle);
  arena.put(kPuddle + layout.max_size, std::int32_t{4});
  arena.put(kPuddle + layout.acquires, std::uint64_t{9});
  arena.slice(kPuddle + layout.resources, kArray, 3, kResources, layout.resource_size, layout.resource_pool,
              kPuddle);
  for (std::uint8_t i = 0; i < 3; ++i) arena.put(kResources + i * layout.resource_size + layout.resource_state, i);
  if (layout.locker != kNoOffset) {
    arena.link(kPuddle + layout.mutex, kCond);
    arena.link(kCond + layout.locker + 8, kMutex);
  }
  if (layout.semaphore != kNoOffset) {
    arena.link(kPuddle + layout.semaphore, kSemaphore);
    arena.put(kSemaphore + layout.semaphore_size, std::uint64_t{4});
    arena.put(kSemaphore + layout.semaphore_waiting, std::uint64_t{2});
  }
  return std::move(arena).take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)members({data, size});
  return 0;
}

std::vector<std::vector<std::uint8_t>> fuzz_seeds() {
  std::vector<std::vector<std::uint8_t>> seeds;
  for (std::size_t i = 0; i < std::size(kGo) + std::size(kPgx); ++i)
    seeds.push_back(i < std::size(kGo) ? sql_pool(i) : pgx_pool(i));
  // A seed that leads nowhere would be worth nothing.
  for (const auto& seed : seeds)
    if (members(seed) != 1 + 3) std::abort();
  return seeds;
}
