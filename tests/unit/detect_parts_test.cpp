// SPDX-License-Identifier: Apache-2.0
// T, S, the mark, sessions and levels by themselves.
#include <catch2/catch_test_macros.hpp>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/high_water.hpp"
#include "detect/idle_cutoff.hpp"
#include "detect/series.hpp"
#include "detect/server_filter.hpp"
#include "detect/sessions.hpp"
#include "detect/verdict.hpp"
#include "story.hpp"

namespace connleak::detect {

TEST_CASE("T: gaps from 20 on, before that lifetimes, with neither the history is thin") {
  model::Group group;
  group.frames_known = true;
  CHECK(idle_cutoff(group, kSecond).thin);
  CHECK(idle_cutoff(group, kSecond).ns == kSecond);
  for (int i = 0; i < 20; ++i) group.lifetimes.add(2 * kSecond);
  Cutoff cutoff = idle_cutoff(group, kSecond);
  CHECK_FALSE(cutoff.thin);
  CHECK(cutoff.from == Cutoff::From::lifetimes);
  CHECK(cutoff.ns >= 6 * kSecond);
  CHECK(cutoff.ns <= 7 * kSecond);
  for (int i = 0; i < 20; ++i) group.gaps.add(300 * kMillisecond);
  cutoff = idle_cutoff(group, kSecond);
  CHECK(cutoff.from == Cutoff::From::gaps);
  CHECK(cutoff.ns >= 3 * kSecond);
  CHECK(cutoff.ns <= 3400 * kMillisecond);
  CHECK(explain(cutoff).find("10 x p99") != std::string::npos);
  CHECK(idle_cutoff(group, 30 * kSecond).ns == 30 * kSecond);
}

TEST_CASE("T: without frames, or under TLS, the members' longest gaps count, too") {
  model::Group group;
  for (int i = 0; i < 4; ++i) group.longest_open.add(4 * kSecond);
  CHECK(idle_cutoff(group, kSecond).ns == kSecond);
  group.longest_closed.add(4 * kSecond);
  CHECK(idle_cutoff(group, kSecond).ns >= 12 * kSecond);
  CHECK(idle_cutoff(group, kSecond).thin);
  group.frames_known = true;
  CHECK(idle_cutoff(group, kSecond).ns == kSecond);
  group.tls = true;
  CHECK(idle_cutoff(group, kSecond).ns >= 12 * kSecond);
}

TEST_CASE("a ladder: a drop starts a new run, a burst is one rise") {
  Ladder ladder;
  std::uint64_t record = 0;
  const auto add = [&](std::uint64_t at_ms, std::uint64_t value) {
    ladder.add(++record, at_ms * kMillisecond, value);
  };
  add(0, 0);
  add(1000, 3);
  add(1010, 5);
  add(1020, 8);
  CHECK(ladder.rises == 1);
  CHECK(ladder.gain() == 8);
  add(2000, 8);
  add(3000, 9);
  CHECK(ladder.rises == 2);
  CHECK(ladder.records == 6);
  add(4000, 7);
  CHECK(ladder.records == 1);
  CHECK(ladder.rises == 0);
  CHECK(ladder.gain() == 0);
  CHECK(ladder.start_record == 7);
}

TEST_CASE("a series keeps the largest owner apart from the total") {
  model::Connection a, b, c;
  Series series;
  series.set(&a, 10, {1, 1});
  series.set(&b, 20, {1, 1});
  series.set(&c, 30, {2, 1});
  series.record(100, 25);
  CHECK(series.total().last == 2);
  CHECK(series.owner().last == 2);
  series.record(110, 35);
  CHECK(series.total().last == 3);
  CHECK(series.owner().last == 2);
  CHECK(series.find(&c)->joined_record == 2);
  series.drop(&a);
  series.record(120, 35);
  CHECK(series.total().records == 1);
  CHECK(series.cold().size() == 2);
  series.advance(15);
  CHECK(series.cold().empty());
}

TEST_CASE("the mark falls to the highest count of the window") {
  HighWater water;
  const std::uint64_t window = 600;
  for (std::uint64_t t = 0; t < 5; ++t) CHECK(water.add(t, window));
  for (std::uint64_t t = 10; t < 14; ++t) water.remove(t);
  CHECK_FALSE(water.add(20, window));
  CHECK(water.count() == 2);
  CHECK(water.add(1000, window));  // 3, and the 5 of long ago no longer count
  CHECK(water.record_count() == 3);
  water.remove(1001);
  CHECK_FALSE(water.add(1002, window));
}

TEST_CASE("sessions pair with births within a second after them, one for one") {
  model::Connection early, late_born, second;
  early.key.opened_ns = 10 * kSecond;
  late_born.key.opened_ns = 12 * kSecond;
  second.key.opened_ns = 10 * kSecond + kMillisecond;
  const std::vector<model::Session> sessions{{1, 9500 * kMillisecond, 0}, {2, 20 * kSecond, 0}};
  const auto paired = paired_members({&late_born, &second, &early}, sessions);
  CHECK(paired.size() == 1);
  CHECK(paired.contains(&early));
}

TEST_CASE("levels: high and three make a LEAK") {
  CHECK(level(Confidence::high, false, 3) == Verdict::leak);
  CHECK(level(Confidence::high, false, 2) == Verdict::suspect);
  CHECK(level(Confidence::medium, false, 30) == Verdict::suspect);
  CHECK(level(Confidence::high, true, 1) == Verdict::leak);
}

TEST_CASE("epochs and numbers") {
  CHECK(count_epochs({}, kSecond) == 0);
  CHECK(count_epochs({1, 2, 3}, kSecond) == 1);
  CHECK(count_epochs({5 * kSecond, 1, 2 * kSecond}, kSecond) == 3);
  CHECK(number_text(7) == "7");
  CHECK(number_text(1234567) == "1,234,567");
  CHECK(seconds_text(320 * kMillisecond) == "0.32 s");
  CHECK(seconds_text(20 * kMillisecond) == "20 ms");
  CHECK(seconds_text(3200 * kMillisecond) == "3.2 s");
}

TEST_CASE("a replication stream and a listener are exempt, an ordinary connection is not") {
  model::Connection member;
  member.liveness = model::Liveness::open;
  member.record.handshake_ns = 1;
  member.record.turn = WIRE_TURN_CLIENT;
  CHECK(gate(member) == Gate::passes);
  member.record.flags = WIRE_FLAG_REPLICATION;
  CHECK(gate(member) == Gate::exempt);
  member.record.flags = WIRE_FLAG_LISTEN;
  CHECK(gate(member) == Gate::exempt);
}

TEST_CASE("the server filter names open PostgreSQL connections only") {
  model::Connection open;
  open.record = test::connection(WIRE_LEVEL, 1).connection;
  open.protocol = WIRE_PROTOCOL_POSTGRESQL;
  open.liveness = model::Liveness::open;
  model::Connection closed;
  closed.liveness = model::Liveness::closed;
  CHECK(server_filter({&open, &closed}) == "client_addr = '192.0.2.1' and client_port in (40000)");
  CHECK_FALSE(server_filter({&closed}).has_value());
}

}  // namespace connleak::detect
