// SPDX-License-Identifier: Apache-2.0
// Pools of pgx, compared with what the program's own Stat() says at the same moment.
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
  CHECK(numbers.opening == stats["Opening"].get<std::uint64_t>());
  CHECK(numbers.wait_count == stats["WaitCount"]);
  CHECK(numbers.acquire_count == stats["AcquireCount"].get<std::uint64_t>());
  CHECK(numbers.acquire_ns == stats["AcquireDuration"].get<std::int64_t>());
  CHECK(numbers.wait_ns.has_value() == stats.contains("WaitDuration"));
  if (stats.contains("WaitDuration")) CHECK(numbers.wait_ns == stats["WaitDuration"].get<std::int64_t>());
  if (said["waiting"] >= 0)
    CHECK(numbers.waiting == said["waiting"].get<std::uint64_t>());
  else
    CHECK_FALSE(numbers.waiting.has_value());
}

TEST_CASE("a pool of pgx has the numbers that Stat() prints", "[pools][go]") {
  for (const auto& path : pool_programs("pgx")) {
    DYNAMIC_SECTION(path.substr(path.rfind('/') + 1)) {
      const GoProgram program(path);
      const auto pools = GoPools::find(*program.image);
      INFO(pools.why_not(PoolKind::pgx));
      REQUIRE(pools.why_not(PoolKind::pgx).empty());
      PoolSubject subject(path);
      nlohmann::json said;
      for (const char* command :
           {"", "0 take 3", "0 serve 1", "0 take 2", "0 queue 2", "0 serve 4", "1 take 2", "1 open 2", "1 let"}) {
        said = subject.ask(command);
        for (const auto& pool : said) {
          INFO(command << " -> " << pool.dump());
          const auto reading = reading_of(pools, PoolKind::pgx, subject.memory(), pool);
          check_numbers(reading.numbers, pool);
          CHECK(reading.settled);
          auto in_use = addresses_of(pool["in_use"]);
          auto seen = members_in(reading, MemberState::in_use);
          std::ranges::sort(in_use);
          std::ranges::sort(seen);
          CHECK(seen == in_use);
          CHECK(reading.members.size() == reading.numbers.open);
        }
      }
      CHECK(said[0]["stats"]["WaitCount"] > 0);
      CHECK(said[0]["stats"]["AcquireDuration"] > 0);
    }
  }
}

TEST_CASE("what has become of a connection of pgx", "[pools][go]") {
  const auto path = pool_programs("pgx").front();
  const GoProgram program(path);
  const auto pools = GoPools::find(*program.image);
  PoolSubject subject(path);
  auto said = subject.ask("0 take 2");
  const auto pool = address_of(said[0]["address"]);
  const auto conns = addresses_of(said[0]["in_use"]);
  const auto state = [&](std::uint64_t conn) { return pools.member(PoolKind::pgx, subject.memory(), pool, conn); };
  REQUIRE(conns.size() == 2);
  CHECK(state(conns[0]) == MemberState::in_use);
  CHECK(state(conns[1]) == MemberState::in_use);
  subject.ask("0 serve 1");
  CHECK(state(conns[0]) == MemberState::in_use);
  CHECK(state(conns[1]) == MemberState::idle);
  CHECK_FALSE(state(pool));
  CHECK_FALSE(pools.member(PoolKind::pgx, subject.memory(), address_of(said[1]["address"]), conns[0]));
}

TEST_CASE("a pool of pgx that never rests is read whole, or said not to be settled", "[pools][go]") {
  const auto path = pool_programs("pgx").back();
  const GoProgram program(path);
  const auto pools = GoPools::find(*program.image);
  PoolSubject subject(path);
  const auto said = subject.ask("0 busy 6");
  std::uint64_t acquires = 0;
  int settled = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto reading = reading_of(pools, PoolKind::pgx, subject.memory(), said[0]);
    const PoolNumbers& numbers = reading.numbers;
    CAPTURE(i, numbers.open, numbers.idle, reading.settled);
    REQUIRE(numbers.open <= 4);
    REQUIRE(reading.members.size() <= 4);
    REQUIRE(*numbers.acquire_count >= acquires);
    acquires = *numbers.acquire_count;
    settled += reading.settled ? 1 : 0;
  }
  INFO(settled << " of 3000 settled, " << acquires << " acquired");
  CHECK(settled > 0);
  CHECK(acquires > 0);
  const auto calm = subject.ask("0 calm");
  const auto reading = reading_of(pools, PoolKind::pgx, subject.memory(), calm[0]);
  check_numbers(reading.numbers, calm[0]);
  CHECK(reading.settled);
}

}  // namespace
}  // namespace connleak
