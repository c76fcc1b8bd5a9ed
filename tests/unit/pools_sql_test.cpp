// SPDX-License-Identifier: Apache-2.0
// Pools of database/sql, compared with what the program's own db.Stats() says at the same moment.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "pools/subject.hpp"

namespace connleak {
namespace {

using test::address_of;
using test::addresses_of;
using test::GoProgram;
using test::members_in;
using test::pool_programs;
using test::PoolSubject;
using test::reading_of;

void check_numbers(const PoolNumbers& numbers, const nlohmann::json& said) {
  const auto& stats = said["stats"];
  CHECK(numbers.max_open == stats["MaxOpenConnections"]);
  CHECK(numbers.open == stats["OpenConnections"]);
  CHECK(numbers.in_use == stats["InUse"]);
  CHECK(numbers.idle == stats["Idle"]);
  CHECK(numbers.wait_count == stats["WaitCount"]);
  CHECK(numbers.wait_ns == stats["WaitDuration"].get<std::int64_t>());
  CHECK(numbers.max_idle_closed == stats["MaxIdleClosed"].get<std::uint64_t>());
  CHECK(numbers.max_idle_time_closed == stats["MaxIdleTimeClosed"].get<std::uint64_t>());
  CHECK(numbers.max_lifetime_closed == stats["MaxLifetimeClosed"].get<std::uint64_t>());
  CHECK(numbers.waiting == said["waiting"].get<std::uint64_t>());
}

TEST_CASE("a pool of database/sql has the numbers that db.Stats() prints", "[pools][go]") {
  for (const auto& path : pool_programs("sql")) {
    DYNAMIC_SECTION(path.substr(path.rfind('/') + 1)) {
      const GoProgram program(path);
      const auto pools = GoPools::find(*program.image);
      REQUIRE(pools.why_not(PoolKind::sql).empty());
      PoolSubject subject(path);
      nlohmann::json said;
      for (const char* command : {"", "0 limit 3", "0 take 3", "0 give 1", "0 take 1", "0 queue 2", "0 serve 3",
                                  "1 spare -1", "1 take 5", "1 give 2", "1 spare 10", "1 give 2", "1 lifetime 20",
                                  "1 serve 2", "1 idletime 20", "0 limit 2", "0 close"}) {
        said = subject.ask(command);
        for (const auto& pool : said) {
          INFO(command << " -> " << pool.dump());
          const auto reading = reading_of(pools, PoolKind::sql, subject.memory(), pool);
          check_numbers(reading.numbers, pool);
          CHECK(reading.settled);
          CHECK(members_in(reading, MemberState::idle) == addresses_of(pool["idle"]));
          CHECK(reading.members.size() == reading.numbers.idle);
        }
      }
      // Nothing was compared with zero all the time.
      CHECK(said[0]["stats"]["WaitCount"] == 2);
      CHECK(said[0]["stats"]["WaitDuration"] > 0);
      CHECK(said[1]["stats"]["MaxIdleClosed"] > 0);
      CHECK(said[1]["stats"]["MaxIdleTimeClosed"] > 0);
      CHECK(said[1]["stats"]["MaxLifetimeClosed"] > 0);
    }
  }
}

TEST_CASE("what has become of a connection of database/sql", "[pools][go]") {
  for (const auto& path : pool_programs("sql")) {
    DYNAMIC_SECTION(path.substr(path.rfind('/') + 1)) {
      const GoProgram program(path);
      const auto pools = GoPools::find(*program.image);
      PoolSubject subject(path);
      subject.ask("0 spare 1");
      subject.ask("0 take 5");
      subject.ask("0 give 1");
      const auto said = subject.ask("0 drop 2");
      const auto pool = address_of(said[0]["address"]);
      const auto state = [&](std::uint64_t of, std::uint64_t conn) {
        return pools.member(PoolKind::sql, subject.memory(), of, conn);
      };
      REQUIRE(said[0]["idle"].size() == 1);
      REQUIRE(said[0]["in_use"].size() == 2);
      REQUIRE(said[0]["closed"].size() == 2);
      for (const auto conn : addresses_of(said[0]["idle"])) CHECK(state(pool, conn) == MemberState::idle);
      for (const auto conn : addresses_of(said[0]["in_use"])) CHECK(state(pool, conn) == MemberState::in_use);
      for (const auto conn : addresses_of(said[0]["closed"])) CHECK(state(pool, conn) == MemberState::closed);
      const auto other = address_of(said[1]["address"]);
      CHECK_FALSE(state(other, addresses_of(said[0]["idle"])[0]));
      CHECK_FALSE(state(pool, pool));
      CHECK_FALSE(state(pool, 0));
    }
  }
}

TEST_CASE("a pool of database/sql that never rests is read whole, or said not to be settled", "[pools][go]") {
  const auto path = pool_programs("sql").back();
  const GoProgram program(path);
  const auto pools = GoPools::find(*program.image);
  PoolSubject subject(path);
  subject.ask("0 limit 4");
  subject.ask("0 spare 4");
  const auto said = subject.ask("0 busy 6");
  std::uint64_t waits = 0;
  int settled = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto reading = reading_of(pools, PoolKind::sql, subject.memory(), said[0]);
    const PoolNumbers& numbers = reading.numbers;
    CAPTURE(i, numbers.open, numbers.idle, reading.settled);
    REQUIRE(numbers.open <= 4);
    REQUIRE(numbers.idle + numbers.in_use == numbers.open);
    REQUIRE(reading.members.size() == numbers.idle);
    REQUIRE(numbers.wait_count >= waits);
    waits = numbers.wait_count;
    settled += reading.settled ? 1 : 0;
  }
  INFO(settled << " of 3000 settled, " << waits << " waits");
  CHECK(settled > 0);
  CHECK(waits > 0);
  const auto calm = subject.ask("0 calm");
  const auto reading = reading_of(pools, PoolKind::sql, subject.memory(), calm[0]);
  check_numbers(reading.numbers, calm[0]);
  CHECK(reading.settled);
}

}  // namespace
}  // namespace connleak
