// SPDX-License-Identifier: Apache-2.0
// What takes a verdict back, what does not, and HELD and STALE.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

namespace {

std::vector<Wire*> leaked(Story& story, int count) {
  std::vector<Wire*> lost;
  for (int i = 0; i < count; ++i) {
    lost.push_back(&story.open());
    story.use(*lost.back());
    story.wait(200ms);
  }
  story.wait(1s);
  return lost;
}

}  // namespace

TEST_CASE("a byte takes out the one that sent it, and no other") {
  Story story;
  const auto lost = leaked(story, 30);
  REQUIRE(story.findings().at(0).members.size() == 30);
  story.begin(*lost[3]);
  story.wait(1s);
  INFO(story.told());
  CHECK(story.findings().at(0).members.size() == 29);
  CHECK(story.retracted("L1") == 1);
}

TEST_CASE("what was read late was used") {
  Story story;
  const auto lost = leaked(story, 30);
  lost[3]->record.unread_bytes = 500;
  story.wait(1s);
  CHECK(story.findings().at(0).members.size() == 30);
  lost[3]->record.unread_bytes = 0;
  lost[3]->record.copied_seq += 500;
  story.wait(1s);
  INFO(story.told());
  CHECK(story.retracted("L1") == 1);
}

TEST_CASE("a close retracts once it is no longer provisional") {
  Story story;
  const auto lost = leaked(story, 30);
  story.close(*lost[0]);
  story.wait(1s);
  CHECK(story.findings().at(0).members.size() == 29);
  CHECK(story.detector().retractions().empty());
  story.wait(3s);
  CHECK(story.findings().at(0).members.size() == 29);
  CHECK(story.retracted("L1") == 1);
}

TEST_CASE("an answered request after the close makes it final at once") {
  Story story;
  const auto lost = leaked(story, 30);
  Wire& other = story.open();
  story.close(*lost[0]);
  story.wait(100ms);
  story.use(other, {.place = "other"});
  story.wait(1200ms);
  CHECK(story.retracted("L1") == 1);
}

TEST_CASE("a program that closes what it leaked while it exits has leaked it") {
  Story story;
  const auto lost = leaked(story, 30);
  for (Wire* wire : lost) {
    story.close(*wire);
    story.wait(20ms);
  }
  story.wait(500ms);
  story.exit();
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].verdict == detect::Verdict::leak);
  CHECK(findings[0].members.size() == 30);
  CHECK(findings[0].closed_at_exit);
  CHECK(story.detector().retractions().empty());
}

TEST_CASE("the last request before the end, whose connection was closed in order, is none of the lost ones") {
  Story story;
  leaked(story, 30);
  Wire& last = story.open();
  story.use(last);
  story.close(last);
  story.wait(1s);
  story.exit();
  story.finish();
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].members.size() == 30);
  CHECK_FALSE(story.findings()[0].closed_at_exit);
}

TEST_CASE("a program that closes everything, works on and ends later has leaked nothing") {
  Story story;
  const auto lost = leaked(story, 30);
  for (Wire* wire : lost) story.close(*wire);
  story.wait(3s);
  story.exit();
  story.finish();
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.retracted("L1") == 30);
}

TEST_CASE("a program that is killed keeps its finding") {
  Story story;
  leaked(story, 30);
  story.exit();
  story.finish();
  story.wait(30s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].members.size() == 30);
  CHECK(story.findings()[0].members[0].connection->closed_at_exit);
}

TEST_CASE("a finding under loss says that it is incomplete") {
  Story story;
  story.lose(3);
  leaked(story, 30);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].complete);
  story.lose(3);
  story.wait(1s);
  CHECK_FALSE(story.findings()[0].complete);
}

TEST_CASE("an open transaction is HELD after --hold-after, and retracted when it ends") {
  Story story;
  Wire& wire = story.open();
  story.use(wire, {.opens_transaction = true});
  story.wait(4s);
  CHECK(story.findings().empty());
  CHECK(story.not_flagged().at(0).reason.find("open transaction") != std::string::npos);
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == detect::Verdict::held);
  CHECK_FALSE(story.findings()[0].rule.has_value());
  story.use(wire);
  story.wait(1s);
  CHECK(story.findings().empty());
  CHECK(story.retracted("HELD") == 1);
}

TEST_CASE("over --max-age is STALE, and only then") {
  Story story({.max_age = 10s});
  story.use(story.open());
  story.wait(8s);
  CHECK(story.findings().empty());
  story.wait(4s);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == detect::Verdict::stale);
  CHECK(story.findings()[0].name == "old");
}

}  // namespace connleak::test
