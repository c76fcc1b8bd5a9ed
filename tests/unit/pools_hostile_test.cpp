// SPDX-License-Identifier: Apache-2.0
// Memory that is no pool, or changes while it is read.
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <functional>
#include <map>

#include "interpreters/altered_memory.hpp"
#include "pools/pgx_pool.hpp"
#include "pools/sql_pool.hpp"
#include "pools/structure.hpp"
#include "pools/subject.hpp"

namespace connleak {
namespace {

// Words at addresses; nothing elsewhere. What `at_read` does to it happens before each read.
class MadeMemory final : public Memory {
 public:
  [[nodiscard]] bool read(std::uint64_t address, std::span<std::byte> out) const override {
    ++reads;
    if (at_read) at_read();
    for (std::size_t done = 0; done < out.size();) {
      const auto word = words.find((address + done) & ~std::uint64_t{7});
      if (word == words.end()) return false;
      const std::size_t inside = (address + done) % 8;
      const std::size_t size = std::min(8 - inside, out.size() - done);
      std::memcpy(out.data() + done, reinterpret_cast<const char*>(&word->second) + inside, size);
      done += size;
    }
    return true;
  }
  std::map<std::uint64_t, std::uint64_t> words;
  std::function<void()> at_read;
  mutable int reads = 0;
};

constexpr std::uint64_t kPool = 0x1000, kFree = 0x2000, kConn = 0x3000, kMap = 0x4000;

// Seven open, two of them idle, three waiting.
struct MadeSqlPool {
  explicit MadeSqlPool(const char* version) : layout(known_sql_layout(version).value()) {
    for (std::uint64_t at = 0; at < layout.size; at += 8) memory.words[kPool + at] = 0;
    for (std::uint64_t at = 0; at < 2ULL * layout.conn_size; at += 8) memory.words[kConn + at] = 0;
    field(layout.connector) = 0x5000;
    field(layout.open) = 7;
    field(layout.max_open) = 9;
    field(layout.waited) = 1'500;
    field(layout.waits) = 11;
    field(layout.free) = kFree;
    field(layout.free + 8) = 2;
    field(layout.free + 16) = 4;
    for (std::uint64_t i = 0; i < 2; ++i) {
      memory.words[kFree + i * 8] = kConn + i * layout.conn_size;
      memory.words[kConn + i * layout.conn_size + layout.conn_pool] = kPool;
    }
    if (layout.requests_are == SqlRequests::map) {
      field(layout.requests) = kMap;
      memory.words[kMap] = 3;
    } else {
      field(layout.requests) = kMap;
      field(layout.requests + 8) = 3;
      field(layout.requests + 16) = 3;
    }
  }
  std::uint64_t& field(int offset) { return memory.words[kPool + static_cast<std::uint64_t>(offset)]; }
  [[nodiscard]] Result<PoolReading> read() const { return read_sql_pool(layout, memory, kPool); }

  SqlLayout layout;
  MadeMemory memory;
};

TEST_CASE("a made pool of each layout is read", "[pools]") {
  for (const char* version : {"go1.19.8", "go1.22.12", "go1.23.5", "go1.27.3"}) {
    MadeSqlPool made(version);
    const auto reading = made.read();
    CAPTURE(version);
    REQUIRE(reading);
    CHECK(reading->settled);
    CHECK(reading->numbers.max_open == 9);
    CHECK(reading->numbers.open == 7);
    CHECK(reading->numbers.idle == 2);
    CHECK(reading->numbers.in_use == 5);
    CHECK(reading->numbers.wait_count == 11);
    CHECK(reading->numbers.wait_ns == 1'500);
    CHECK(reading->numbers.waiting == 3u);
    REQUIRE(reading->members.size() == 2);
    CHECK(reading->members[0] == PoolMember{kConn, MemberState::idle});
  }
}

TEST_CASE("a structure is no pool where anything in it cannot be", "[pools]") {
  using Change = std::function<void(MadeSqlPool&)>;
  const std::map<std::string, Change> changes{
      {"all zero",
       [](MadeSqlPool& made) {
         for (auto& [at, word] : made.memory.words) word = 0;
       }},
      {"no connector", [](MadeSqlPool& made) { made.field(made.layout.connector) = 0; }},
      {"more idle than open", [](MadeSqlPool& made) { made.field(made.layout.open) = 1; }},
      {"a negative count", [](MadeSqlPool& made) { made.field(made.layout.open) = ~std::uint64_t{0}; }},
      {"a negative limit", [](MadeSqlPool& made) { made.field(made.layout.max_open) = ~std::uint64_t{0}; }},
      {"a negative time", [](MadeSqlPool& made) { made.field(made.layout.waited) = std::uint64_t{1} << 63; }},
      {"a slice longer than its room", [](MadeSqlPool& made) { made.field(made.layout.free + 16) = 1; }},
      {"a slice at no address", [](MadeSqlPool& made) { made.field(made.layout.free) = 0; }},
      {"an unaligned slice", [](MadeSqlPool& made) { made.field(made.layout.free) = kFree + 4; }},
      {"a slice that is not there", [](MadeSqlPool& made) { made.field(made.layout.free) = 0x999000; }},
      {"more members than a pool has",
       [](MadeSqlPool& made) {
         made.field(made.layout.open) = made.field(made.layout.free + 8) = kMaxMembers + 1;
         made.field(made.layout.free + 16) = kMaxMembers + 1;
         for (std::uint64_t i = 0; i <= kMaxMembers; ++i) made.memory.words[kFree + i * 8] = kConn;
         made.memory.words[kConn + made.layout.conn_pool] = kPool;
       }},
      {"an unaligned member", [](MadeSqlPool& made) { made.memory.words[kFree] = kConn + 4; }},
      {"a member of another pool",
       [](MadeSqlPool& made) { made.memory.words[kConn + made.layout.conn_pool] = 8; }},
      {"members that are not there", [](MadeSqlPool& made) { made.memory.words[kFree] = 0x999000; }},
      {"requests that are not there",
       [](MadeSqlPool& made) {
         made.field(made.layout.requests) = made.layout.requests_are == SqlRequests::map ? 0x999000 : 0;
       }},
  };
  for (const char* version : {"go1.19.8", "go1.26.8"}) {
    for (const auto& [name, change] : changes) {
      CAPTURE(version, name);
      MadeSqlPool made(version);
      REQUIRE(made.read());
      change(made);
      const auto reading = made.read();
      CHECK_FALSE(reading);
      if (!reading) CHECK(reading.error().message == "what is at 0x1000 is no sql.DB");
    }
  }
}

TEST_CASE("an address that cannot be one is said", "[pools]") {
  const MadeSqlPool made("go1.26.8");
  for (const std::uint64_t pool :
       {std::uint64_t{0}, kPool + 4, kPool - 8, std::uint64_t{0x999000}, ~std::uint64_t{7}}) {
    CAPTURE(pool);
    const auto reading = read_sql_pool(made.layout, made.memory, pool);
    REQUIRE_FALSE(reading);
    CHECK(reading.error().message.ends_with(" cannot be read"));
  }
}

TEST_CASE("a pool that is locked or changes is read again, and at last as it is", "[pools]") {
  MadeSqlPool made("go1.26.8");
  SECTION("locked for some reads") {
    made.field(made.layout.mutex) = 1;
    made.memory.at_read = [&] {
      if (made.memory.reads == 9) made.field(made.layout.mutex) = 0;
    };
    const auto reading = made.read();
    REQUIRE(reading);
    CHECK(reading->settled);
  }
  SECTION("locked for good") {
    made.field(made.layout.mutex) = 1;
    const auto reading = made.read();
    REQUIRE(reading);
    CHECK_FALSE(reading->settled);
    CHECK(reading->numbers.open == 7);
    CHECK(reading->members.size() == 2);
  }
  SECTION("changing at every read") {
    made.memory.at_read = [&] { ++made.field(made.layout.waits); };
    const auto reading = made.read();
    REQUIRE(reading);
    CHECK_FALSE(reading->settled);
    CHECK(made.memory.reads < 100);
  }
  SECTION("wrong for one read") {
    made.field(made.layout.open) = 1;
    made.memory.at_read = [&] {
      if (made.memory.reads == 2) made.field(made.layout.open) = 7;
    };
    const auto reading = made.read();
    REQUIRE(reading);
    CHECK(reading->settled);
    CHECK(reading->numbers.in_use == 5);
  }
}

// A pool that is read through memory that lies: what comes out holds together, in a bounded number of bytes.
void check_lies(PoolKind kind, const GoPools& pools, const Memory& memory, std::uint64_t address) {
  std::map<bool, int> read;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const test::CorruptMemory corrupt(memory, seed, 8);
    const auto reading = pools.read(kind, corrupt, address);
    ++read[reading.has_value()];
    REQUIRE(corrupt.bytes_read() < 40 * kMaxMembers * 8);
    if (!reading) continue;
    const PoolNumbers& numbers = reading->numbers;
    REQUIRE(numbers.in_use + numbers.idle + numbers.opening.value_or(0) == numbers.open);
    REQUIRE(reading->members.size() <= kMaxMembers);
    REQUIRE(test::members_in(*reading, MemberState::idle).size() == numbers.idle);
    for (const PoolMember& member : reading->members) (void)pools.member(kind, corrupt, address, member.handle);
  }
  CHECK(read[true] > 0);
  CHECK(read[false] > 0);
}

TEST_CASE("memory of pools that lies is survived", "[pools][go]") {
  for (const auto& [kind, name] : {std::pair{PoolKind::sql, "sql"}, {PoolKind::pgx, "pgx"}}) {
    const auto path = test::pool_programs(name).back();
    const test::GoProgram program(path);
    const auto pools = GoPools::find(*program.image);
    test::PoolSubject subject(path);
    subject.ask("0 take 3");
    const auto said = subject.ask("0 serve 1");
    check_lies(kind, pools, subject.memory(), test::address_of(said[0]["address"]));
  }
}

}  // namespace
}  // namespace connleak
