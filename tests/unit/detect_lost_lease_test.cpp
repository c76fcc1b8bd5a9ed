// SPDX-License-Identifier: Apache-2.0
// L2 and L11 from leases: what probes on a pool say was taken out and not given back.
#include <catch2/catch_test_macros.hpp>

#include "report/convert.hpp"
#include "story.hpp"

namespace connleak::test {

using detect::StackOf;
using detect::Verdict;

namespace {

// Takes one out, sends a request and forgets it.
Wire& lose(Story& story, TakeOptions how = {}) {
  Wire& wire = story.open();
  story.take(wire, how);
  story.use(wire, {0, "driver_query"});
  return wire;
}

void exhaust(Story& story, std::uint64_t size, std::uint64_t waiting) {
  wire_pool& pool = story.pool(size);
  pool.open = pool.in_use = size;
  pool.waiting = pool.wait_count = waiting;
}

std::string why(const detect::Finding& finding) {
  std::string all;
  for (const std::string& sentence : finding.why) all += sentence + "\n";
  return all;
}

}  // namespace

TEST_CASE("A silent lease is held, blamed on who took it, and retracted when it comes back") {
  Story story;
  Wire& wire = lose(story);
  story.wait(4s);
  CHECK(story.findings().empty());
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const detect::Finding held = story.findings()[0];
  CHECK(held.verdict == Verdict::held);
  CHECK(held.stack_of == StackOf::acquire);
  REQUIRE(held.stack != nullptr);
  CHECK(held.stack->culprit_frame()->function == "find_order");
  CHECK(why(held).find("taken out of the pool") != std::string::npos);
  const auto lease = to_lease(*held.members[0].connection, story.now());
  REQUIRE(lease);
  CHECK(lease->object == "rows");
  CHECK(lease->held_s >= 6);
  story.give_back(wire);
  story.wait(2s);
  CHECK(story.findings().empty());
  REQUIRE(story.detector().retractions().size() == 1);
  CHECK(story.detector().retractions()[0].rule == "HELD");
}

TEST_CASE("L2: three silent leases of an exhausted pool are a leak, two a suspect") {
  for (const std::size_t lost : {2U, 3U}) {
    Story story;
    for (std::size_t i = 0; i < lost; ++i) lose(story);
    exhaust(story, lost, 7);
    story.wait(10s);
    INFO(story.told());
    REQUIRE(story.findings().size() == 1);
    CHECK(story.findings()[0].rule == "L2");
    CHECK(story.findings()[0].verdict == (lost == 3 ? Verdict::leak : Verdict::suspect));
    CHECK(story.findings()[0].members.size() == lost);
    CHECK(why(story.findings()[0]).find("7 waiting") != std::string::npos);
  }
}

TEST_CASE("A full pool for which nobody waits, and one with room, make no leak of a silent lease") {
  for (const auto& [size, waiting] : {std::pair{3U, 0U}, std::pair{10U, 0U}}) {
    Story story;
    for (int i = 0; i < 3; ++i) lose(story);
    wire_pool& pool = story.pool(size);
    pool.open = pool.in_use = 3;
    pool.waiting = waiting;
    story.wait(30s);
    INFO(story.told());
    REQUIRE(story.findings().size() == 1);
    CHECK(story.findings()[0].verdict == Verdict::held);
  }
}

TEST_CASE("L2: leases whose goroutines have ended are lost, with no pool known") {
  Story story;
  for (int i = 0; i < 3; ++i) lose(story, {WIRE_OBJECT_TRANSACTION, "checkout", true});
  story.wait(10s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].rule == "L2");
  CHECK(why(story.findings()[0]).find("have ended") != std::string::npos);
}

TEST_CASE("L11: what was taken and never used is lost on the way") {
  Story story;
  for (int i = 0; i < 3; ++i) {
    Wire& wire = story.open();
    story.use(wire, {0, "earlier"});
    story.take(wire, {WIRE_OBJECT_CONNECTION, "cancelled", false});
  }
  exhaust(story, 3, 1);
  story.wait(10s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L11");
  CHECK(story.findings()[0].stack->culprit_frame()->function == "cancelled");
}

TEST_CASE("An exhausted pool whose leases all turn over is too small, and no leak") {
  Story story;
  std::vector<Wire*> wires;
  for (int i = 0; i < 4; ++i) wires.push_back(&story.open());
  exhaust(story, 4, 20);
  for (int turn = 0; turn < 40; ++turn) {
    Wire& wire = *wires[static_cast<std::size_t>(turn % 4)];
    story.take(wire, {});
    story.use(wire, {0, "driver_query"});
    story.wait(500ms);
    story.give_back(wire);
  }
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("A pool that can be read no more accuses nobody") {
  Story story;
  for (int i = 0; i < 3; ++i) lose(story);
  exhaust(story, 3, 7);
  story.wait(1s);
  story.forget_pools();
  story.wait(20s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::held);
}

TEST_CASE(
    "What another process holds on to has no lease there: a handle means something in its own process only") {
  Story story;
  Wire& wire = lose(story, {WIRE_OBJECT_HANDLE, "main", false});
  story.scan();
  story.fork(100, 200);
  story.hold(wire, {100, 200});
  const auto* connection = story.model().find({wire.record.cookie, wire.record.opened_ns});
  REQUIRE(connection != nullptr);
  CHECK(connection->lease != nullptr);
  story.leave(100);
  story.hold(wire, {200});
  story.wait(3s);
  REQUIRE(connection->process->key.tgid == 200);
  CHECK(connection->lease == nullptr);
}

TEST_CASE("A driver's own handle is no lease") {
  Story story;
  Wire& wire = lose(story, {WIRE_OBJECT_HANDLE, "main", false});
  story.wait(20s);
  INFO(story.told());
  CHECK(story.findings().empty());
  REQUIRE(story.groups().size() == 1);
  CHECK(model::state(**story.groups()[0]->members.begin()) == model::State::idle);
  CHECK((*story.groups()[0]->members.begin())->lease->record.handle == wire.record.handle);
}

}  // namespace connleak::test
