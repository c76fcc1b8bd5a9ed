// SPDX-License-Identifier: Apache-2.0
// L9: a pool for each request.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

// A pool of one connection for each request, which asks it three times.
void pool_each(Story& story, int count) {
  for (int i = 0; i < count; ++i) {
    Wire& wire = story.open();
    for (int j = 0; j < 3; ++j) story.use(wire), story.wait(20ms);
    story.wait(250ms);
  }
  story.wait(2s);
}

}  // namespace

TEST_CASE("L9: handshakes for each request, each used a handful of times, none closed") {
  Story story;
  pool_each(story, 40);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const auto finding = story.findings()[0];
  CHECK(finding.rule == "L9");
  CHECK(finding.verdict == Verdict::leak);
  CHECK(finding.members.size() == 40);
  CHECK(finding.also == std::vector<std::string>{"L1"});
  CHECK(finding.flagged_ns > finding.members[4].connection->key.opened_ns);
  CHECK(finding.flagged_ns < finding.members[39].connection->key.opened_ns);
}

TEST_CASE("L9: beside a pool that is reused, or used once each, it is L1") {
  Story beside;
  Wire& steady = beside.open();
  for (int j = 0; j < 20; ++j) beside.use(steady), beside.wait(20ms);
  for (int i = 0; i < 40; ++i) {
    Wire& wire = beside.open();
    for (int j = 0; j < 3; ++j) beside.use(wire), beside.use(steady), beside.wait(20ms);
    beside.wait(250ms);
  }
  beside.wait(2s);
  INFO(beside.told());
  REQUIRE(beside.findings().size() == 1);
  CHECK(beside.findings()[0].rule == "L1");

  Story once;
  for (int i = 0; i < 40; ++i) once.use(once.open()), once.wait(300ms);
  once.wait(2s);
  INFO(once.told());
  REQUIRE(once.findings().size() == 1);
  CHECK(once.findings()[0].rule == "L1");
}

TEST_CASE("L9: churn that closes what it opened is none") {
  Story story;
  for (int i = 0; i < 60; ++i) {
    Wire& wire = story.open();
    for (int j = 0; j < 3; ++j) story.use(wire), story.wait(20ms);
    story.close(wire);
    story.wait(250ms);
  }
  INFO(story.told());
  CHECK(story.findings().empty());
}

}  // namespace connleak::test
