// SPDX-License-Identifier: Apache-2.0
// L10: connections that were opened and never used.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

// Opens connections and forgets them before the first request, beside one that is used.
void forget(Story& story, int count, std::chrono::nanoseconds apart) {
  Wire& used = story.open();
  for (int i = 0; i < count; ++i) {
    story.opened_at(story.open(), "make_client");
    for (int j = 0; j < 4; ++j) story.use(used), story.wait(apart / 4);
  }
  story.wait(3s);
}

}  // namespace

TEST_CASE("L10: opened again and again and never used is suspect, by the place that opened") {
  Story story;
  forget(story, 25, 500ms);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const auto finding = story.findings()[0];
  CHECK(finding.rule == "L10");
  CHECK(finding.verdict == Verdict::suspect);
  CHECK(finding.members.size() == 25);
  REQUIRE(finding.stack != nullptr);
  CHECK(finding.stack->culprit_frame()->function == "make_client");
}

TEST_CASE("L10: a filler has no frame of the application, a standby pool is born at once") {
  Story filler({.frames = false});
  forget(filler, 25, 500ms);
  INFO(filler.told());
  CHECK(filler.findings().empty());

  Story standby;
  forget(standby, 25, 20ms);
  INFO(standby.told());
  CHECK(standby.findings().empty());
}

}  // namespace connleak::test
