// SPDX-License-Identifier: Apache-2.0
// L1 "saturated": the observer comes when the server already refuses.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {
namespace {

// Connections of before the observer, silent for 50 s.
void older(Story& story, int count) {
  for (int i = 0; i < count; ++i) {
    Wire& old = story.open();
    old.record.flags |= WIRE_FLAG_LATE;
    old.record.handshake_ns = 0;
    old.record.turn = WIRE_TURN_UNKNOWN;
    old.record.socket_use_ns = story.now() - 50'000'000'000;
  }
}

void refuse(Story& story, int times, std::chrono::nanoseconds apart, std::uint32_t flags = WIRE_FLAG_REFUSED) {
  for (int i = 0; i < times; ++i) {
    Wire& refused = story.open({.handshake = false});
    refused.record.flags |= flags;
    story.peer_close(refused);
    story.wait(10ms);
    story.close(refused);
    story.wait(apart);
  }
}

}  // namespace

TEST_CASE("saturated: refused again and again while old ones lie idle is suspect") {
  Story story;
  older(story, 50);
  story.wait(2s);
  CHECK(story.findings().empty());
  refuse(story, 6, 1s);
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  const auto finding = story.findings()[0];
  CHECK(finding.rule == "L1");
  CHECK(finding.name == "saturated");
  CHECK(finding.verdict == detect::Verdict::suspect);
  CHECK(finding.members.size() == 50);
  CHECK(finding.also.empty());
}

TEST_CASE("saturated: a pool that was seen growing is judged by its growth") {
  Story story;
  for (int i = 0; i < 50; ++i) story.use(story.open());
  story.wait(2s);
  refuse(story, 6, 1s);
  story.wait(3s);
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("saturated: few spares, one storm, or failures of another kind are none") {
  Story few;
  older(few, 9);
  refuse(few, 6, 1s);
  few.wait(3s);
  INFO(few.told());
  CHECK(few.findings().empty());

  Story storm;
  older(storm, 50);
  refuse(storm, 20, 10ms);
  storm.wait(3s);
  INFO(storm.told());
  CHECK(storm.findings().empty());

  Story password;
  older(password, 50);
  refuse(password, 6, 1s, 0);
  password.wait(3s);
  INFO(password.told());
  CHECK(password.findings().empty());
}

}  // namespace connleak::test
