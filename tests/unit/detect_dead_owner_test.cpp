// SPDX-License-Identifier: Apache-2.0
// L5: connections whose thread is gone.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

TEST_CASE("L5: connections of threads that ended without closing them") {
  Story story;
  Wire& pooled = story.open();
  std::uint32_t thread = 200;
  for (int i = 0; i < 25; ++i, ++thread) {
    Wire& wire = story.open({.thread = thread});
    for (int j = 0; j < 3; ++j) story.use(wire, {thread, "handle"}), story.wait(10ms);
    story.thread_exit(100, thread);
    story.use(pooled);
    story.wait(500ms);
  }
  story.wait(8s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const auto finding = story.findings()[0];
  CHECK(finding.rule == "L5");
  CHECK(finding.verdict == Verdict::leak);
  CHECK(finding.members.size() == 25);
  CHECK(finding.also == std::vector<std::string>{"L1"});
}

TEST_CASE("L5: a thread for each request over a shared pool leaves nothing behind") {
  Story story;
  std::vector<Wire*> pool;
  for (int i = 0; i < 10; ++i) pool.push_back(&story.open());
  std::uint32_t thread = 200;
  for (int i = 0; i < 60; ++i, ++thread) {
    story.use(*pool[static_cast<std::size_t>(i) % 3], {thread, "handle"});
    story.thread_exit(100, thread);
    story.wait(200ms);
  }
  INFO(story.told());
  CHECK(story.findings().empty());
}

}  // namespace connleak::test
