// SPDX-License-Identifier: Apache-2.0
// What speaks for a finding besides its rule, the roles that are exempt, and the limit that refusals tell.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

bool says(const detect::Finding& finding, const std::string& words) {
  for (const std::string& sentence : finding.why)
    if (sentence.find(words) != std::string::npos) return true;
  return false;
}

// Two pooled connections that are used, or checked, all the while; one in ten requests loses a third one.
void serve_and_lose(Story& story, int requests) {
  Wire* pooled[] = {&story.open(), &story.open()};
  for (int request = 0; request < requests; ++request) {
    story.use(*pooled[request % 2]);
    story.wait(25ms);
    if (request % 10 == 9) story.use(story.open(), {0, "find_order"});
  }
}

}  // namespace

TEST_CASE("boosters: what keeps the siblings alive does not reach the lost ones") {
  Story story;
  serve_and_lose(story, 200);
  story.wait(100ms);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(says(story.findings()[0], "does not reach these") == false);  // the last ones fell silent just now
  Story checked;
  Wire* pooled[] = {&checked.open(), &checked.open()};
  for (int i = 0; i < 20; ++i) {
    for (int use = 0; use < 4; ++use) {
      checked.use(*pooled[use % 2]);
      checked.wait(25ms);
    }
    checked.use(checked.open(), {0, "find_order"});
  }
  for (int use = 0; use < 100; ++use) {
    checked.use(*pooled[use % 2]);
    checked.wait(25ms);
  }
  INFO(checked.told());
  REQUIRE(checked.findings().size() == 1);
  CHECK(says(checked.findings()[0], "does not reach these"));
}

// Connections to a pooler are lost; each request is handed on.
void lose_behind_a_pooler(Story& story, bool own_leg_each) {
  story.execute(200, "pgbouncer");
  OpenOptions leg;
  leg.process = 200;
  leg.database = "behind";
  Wire* shared = &story.open(leg);
  for (int i = 0; i < 30; ++i) {
    Wire& wire = story.open();
    story.use(wire);
    if (own_leg_each && i > 0) shared = &story.open(leg);
    story.use(*shared);
    story.wait(700ms);
  }
  story.wait(2s);
}

TEST_CASE("pooler-leg: each lost connection pins a server connection of its own") {
  for (const bool pinned : {true, false}) {
    Story story;
    lose_behind_a_pooler(story, pinned);
    INFO(story.told());
    const auto findings = story.findings();
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].rule == "L1");
    CHECK(says(findings[0], "30 of 30 each pin a server connection of pgbouncer (pid 200)") == pinned);
    CHECK(findings[0].also == (pinned ? std::vector<std::string>{"L12"} : std::vector<std::string>{}));
    bool answered = false;
    for (const model::Group* group : story.groups())
      for (const auto& answer : story.detector().explain(*group->process))
        if (answer.rule == "L12") answered = answered || answer.fires;
    CHECK(answered == pinned);
  }
}

TEST_CASE("boosters: older than every one that was closed") {
  Story story;
  for (int i = 0; i < 60; ++i) {
    Wire& wire = story.open();
    for (int use = 0; use < 3; ++use) {
      story.use(wire);
      story.wait(20ms);
    }
    if (i % 3 != 0) story.close(wire);
  }
  story.wait(2s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(says(story.findings()[0], "older than any of the 40 that were closed"));
}

TEST_CASE("the legs of a pooler to its server are its own to keep") {
  Story story;
  story.execute(100, "pgbouncer");
  serve_and_lose(story, 300);
  story.wait(2s);
  INFO(story.told());
  CHECK(story.findings().empty());
  REQUIRE(!story.not_flagged().empty());
  CHECK(story.not_flagged()[0].reason.find("exempt: a pooler's") == 0);
}

TEST_CASE("a refusal tells how many the server takes") {
  Story story;
  for (int i = 0; i < 12; ++i) story.use(story.open());
  story.wait(1s);
  const auto address = story.groups()[0]->key.address;
  CHECK(story.model().held(address) == 12);
  CHECK_FALSE(story.model().limit(address).has_value());
  Wire& refused = story.open({.handshake = false});
  refused.record.flags |= WIRE_FLAG_REFUSED;
  story.close(refused);
  CHECK(story.model().limit(address) == 12);
  CHECK(story.model().held(address) == 12);
}

}  // namespace connleak::test
