// SPDX-License-Identifier: Apache-2.0
// L8: connections that a finalizer closed.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

TEST_CASE("L8: one connection that a finalizer closes after it lay idle is a leak, and stays one") {
  Story story;
  Wire& lost = story.open();
  story.use(lost, {0, "find_order"});
  story.wait(2s);
  story.collect(lost, "Finalizer");
  story.wait(1s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].rule == "L8");
  CHECK(story.findings()[0].members[0].connection->liveness == model::Liveness::closed);
  story.wait(20s);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.retracted("L8") == 0);
  Wire& another = story.open();
  story.use(another, {0, "find_order"});
  story.wait(2s);
  story.collect(another, "Finalizer");
  story.wait(20s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].members.size() == 2);
}

TEST_CASE("L8: other threads, closes at once, and the end of the process are none") {
  Story story;
  Wire& closed = story.open();
  story.use(closed);
  story.wait(2s);
  story.collect(closed, "worker-3");
  Wire& at_once = story.open();
  story.use(at_once);
  story.collect(at_once, "Finalizer");
  Wire& left = story.open();
  story.use(left);
  story.wait(5s);
  INFO(story.told());
  CHECK(story.findings().empty());
  left.record.flags |= WIRE_FLAG_EXITING;
  story.collect(left, "Finalizer");
  story.exit();
  story.finish();
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("L8: a collected connection is told once, not also as never closed") {
  Story story;
  Wire& pooled = story.open();
  std::vector<Wire*> lost;
  for (int i = 0; i < 30; ++i) {
    for (int request = 0; request < 5; ++request) {
      story.use(pooled);
      story.wait(50ms);
    }
    story.use(*lost.emplace_back(&story.open()), {0, "find_order"});
  }
  story.wait(1s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L1");
  for (Wire* wire : lost) story.collect(*wire, "Finalizer");
  for (int request = 0; request < 50; ++request) {
    story.use(pooled);
    story.wait(100ms);
  }
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L8");
  CHECK(story.findings()[0].members.size() == 30);
  CHECK(story.retracted("L1") == 0);
}

}  // namespace connleak::test
