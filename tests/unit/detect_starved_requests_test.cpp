// SPDX-License-Identifier: Apache-2.0
// L2 from the socket alone: a capped pool fell silent and requests wait for it in vain.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

// A pool of three serves a request every 20 ms.
std::vector<Wire*> serve(Story& story, int requests = 150) {
  std::vector<Wire*> pool;
  for (int i = 0; i < 3; ++i) pool.push_back(&story.open());
  for (int i = 0; i < requests; ++i) {
    story.use(*pool[static_cast<std::size_t>(i % 3)]);
    story.answer(4ms, {.alone = false});
    story.wait(20ms);
  }
  return pool;
}

void wait_in_vain(Story& story, int requests, Story::Answer how, std::chrono::nanoseconds wait = 400ms) {
  for (int i = 0; i < requests; ++i) {
    story.wait(100ms);
    story.answer(wait, how);
  }
  story.wait(1s);
}

}  // namespace

TEST_CASE("L2: requests that wait for a silent pool and fail are a leak, without failing suspect") {
  Story story;
  serve(story);
  wait_in_vain(story, 40, {.failed = true});
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const auto finding = story.findings()[0];
  CHECK(finding.rule == "L2");
  CHECK(finding.verdict == Verdict::leak);
  CHECK(finding.members.size() == 3);

  Story slow;
  serve(slow);
  wait_in_vain(slow, 40, {});
  INFO(slow.told());
  REQUIRE(slow.findings().size() == 1);
  CHECK(slow.findings()[0].rule == "L2");
  CHECK(slow.findings()[0].verdict == Verdict::suspect);
}

TEST_CASE("L2: a slow upstream, computing, a lull and quick requests of another kind are none") {
  Story upstream;
  serve(upstream);
  wait_in_vain(upstream, 40, {.alone = false, .failed = true});
  INFO(upstream.told());
  CHECK(upstream.findings().empty());

  Story computing;
  serve(computing);
  wait_in_vain(computing, 40, {.failed = true, .cpu = 90ms});
  INFO(computing.told());
  CHECK(computing.findings().empty());

  Story lull;
  serve(lull);
  lull.wait(20s);
  INFO(lull.told());
  CHECK(lull.findings().empty());

  Story health;
  serve(health);
  wait_in_vain(health, 100, {}, 2ms);
  INFO(health.told());
  CHECK(health.findings().empty());
}

TEST_CASE("L2: a listener of the same group neither hides the pool nor is accused") {
  Story story;
  Wire& listener = story.open();
  listener.record.flags |= WIRE_FLAG_LISTEN;
  serve(story);
  wait_in_vain(story, 40, {.failed = true});
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L2");
  CHECK(story.findings()[0].members.size() == 3);
}

TEST_CASE("L2: a pool that serves again is accused no longer") {
  Story story;
  const auto pool = serve(story);
  wait_in_vain(story, 40, {.failed = true});
  REQUIRE(story.findings().size() == 1);
  for (Wire* wire : pool) story.use(*wire);
  story.wait(2s);
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("L2: waits that were as long before prove nothing") {
  Story story;
  std::vector<Wire*> pool;
  for (int i = 0; i < 3; ++i) pool.push_back(&story.open());
  for (int i = 0; i < 150; ++i) {
    story.use(*pool[static_cast<std::size_t>(i % 3)]);
    story.answer(4ms, {});
    if (i % 5 == 0) story.answer(400ms, {});
    story.wait(20ms);
  }
  wait_in_vain(story, 40, {});
  INFO(story.told());
  CHECK(story.findings().empty());
}

}  // namespace connleak::test
