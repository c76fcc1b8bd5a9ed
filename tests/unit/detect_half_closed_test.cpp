// SPDX-License-Identifier: Apache-2.0
// L7, and what half-closed connections are otherwise.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

TEST_CASE("half-closed ones pile up while new ones are opened: L7") {
  Story story;
  for (int i = 0; i < 12; ++i) {
    Wire& wire = story.open();
    story.use(wire);
    story.wait(100ms);
    story.peer_close(wire);
    story.wait(400ms);
  }
  story.wait(1s);
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(!findings.empty());
  CHECK(findings[0].rule == "L7");
  CHECK(findings[0].verdict == detect::Verdict::leak);
  CHECK(findings[0].members.size() == 12);
  // Each stands in one finding only.
  std::size_t members = 0;
  for (const auto& finding : findings) members += finding.members.size();
  CHECK(members == 12);
}

TEST_CASE("L7 minds neither T nor turn: the first stacks are not even known") {
  Story story({.idle_after = 30s});
  for (int i = 0; i < 12; ++i) {
    Wire& wire = story.open();
    story.use(wire);
    wire.record.turn = WIRE_TURN_SERVER;
    story.wait(100ms);
    story.peer_close(wire);
    story.wait(400ms);
  }
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "L7");
}

TEST_CASE("a single half-closed one is STALE until it is closed") {
  Story story;
  Wire& wire = story.open();
  story.use(wire);
  story.peer_close(wire);
  story.wait(2s);
  INFO(story.told());
  auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].verdict == detect::Verdict::stale);
  CHECK_FALSE(findings[0].rule.has_value());
  CHECK(findings[0].name == "half-closed");
  story.close(wire);
  story.wait(4s);
  CHECK(story.findings().empty());
  CHECK(story.retracted("STALE") == 1);
}

TEST_CASE("a failover leaves a half-closed cold tail that the next borrows clean up") {
  Story story;
  std::vector<Wire*> pool;
  for (int i = 0; i < 10; ++i) pool.push_back(&story.open());
  for (Wire* wire : pool) story.use(*wire);
  story.wait(5s);
  for (Wire* wire : pool) story.peer_close(*wire);
  story.wait(5s);
  for (const auto& finding : story.findings()) CHECK(finding.verdict == detect::Verdict::stale);
  for (Wire*& wire : pool) {
    story.close(*wire);
    wire = &story.open();
    story.use(*wire);
    story.wait(500ms);
  }
  story.wait(5s);
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.retracted("L7") == 0);
  CHECK(story.retracted("STALE") == 10);
}

TEST_CASE("an unread goodbye of the server changes no L1 finding") {
  Story story;
  std::vector<Wire*> lost;
  for (int i = 0; i < 30; ++i) {
    lost.push_back(&story.open());
    story.use(*lost.back());
    story.wait(200ms);
  }
  story.wait(1s);
  REQUIRE(story.findings().size() == 1);
  for (Wire* wire : lost) story.peer_close(*wire);
  story.wait(3s);
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].rule == "L1");
  CHECK(findings[0].members.size() == 30);
  CHECK(story.detector().retractions().empty());
}

}  // namespace connleak::test
