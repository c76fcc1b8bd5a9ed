// SPDX-License-Identifier: Apache-2.0
// What must be called a leak, and how many connections of it.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

namespace {

// Each request opens a connection, uses it and loses it.
void leak(Story& story, int times, std::chrono::nanoseconds apart, const UseOptions& how = {}) {
  for (int i = 0; i < times; ++i) {
    story.use(story.open(), how);
    story.wait(apart);
  }
}

const detect::Finding& only_leak(const std::vector<detect::Finding>& findings, const char* rule = "L1") {
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].verdict == detect::Verdict::leak);
  REQUIRE(findings[0].rule == rule);
  return findings[0];
}

}  // namespace

TEST_CASE("a connection lost per request is L1, every one of them, with its place") {
  Story story;
  leak(story, 40, 250ms);
  story.wait(2s);
  INFO(story.told());
  const auto findings = story.findings();
  const auto& finding = only_leak(findings);
  CHECK(finding.members.size() == 40);
  CHECK(finding.name == "never-closed");
  CHECK(finding.complete);
  REQUIRE(finding.stack != nullptr);
  CHECK(finding.stack->culprit_frame()->function == "handle_order");
  CHECK(finding.server_filter.has_value());
  CHECK(story.not_flagged().empty());
}

TEST_CASE("a short program that leaks 25 in 2.5 s and ends is judged at its exit") {
  for (const bool exit_first : {true, false}) {
    Story story;
    leak(story, 25, 100ms);
    story.wait(400ms);
    story.exit(100, exit_first);
    story.finish();
    INFO(story.told());
    const auto findings = story.findings();
    const auto& finding = only_leak(findings);
    CHECK(finding.members.size() == 25);
    CHECK_FALSE(finding.closed_at_exit);
    CHECK_FALSE(story.model().processes().begin()->second->alive);
    CHECK(story.model().processes().begin()->second->open_at_exit.at(0).connections == 25);
    CHECK(story.detector().retractions().empty());
  }
}

TEST_CASE("ended at once, only those idle longer than T at the exit are accused") {
  Story story;
  leak(story, 25, 100ms);
  story.exit();
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  CHECK(only_leak(findings).members.size() >= 21);
}

TEST_CASE("thin history wants a gain of 20: in Go, where rows are lost and nothing is ever reused") {
  Story few({.go = true});
  leak(few, 15, 100ms);
  few.wait(1s);
  few.finish();
  INFO(few.told());
  CHECK(few.findings().empty());
  REQUIRE(few.not_flagged().size() == 1);
  CHECK(few.not_flagged()[0].reason.find("history is thin") != std::string::npos);

  Story many({.go = true});
  leak(many, 30, 100ms);
  many.wait(1s);
  const auto findings = many.findings();
  CHECK(only_leak(findings).members.size() == 30);
}

TEST_CASE("with reuse in between the history is not thin, and a gain of 5 is enough") {
  Story story({.go = true});
  Wire& pooled = story.open();
  for (int i = 0; i < 12; ++i) {
    for (int request = 0; request < 10; ++request) {
      story.use(pooled, {.place = "list_orders"});
      story.wait(10ms);
    }
    story.begin(pooled, {.place = "list_orders"});
    story.use(story.open());
    story.answer(pooled);
    story.wait(200ms);
  }
  for (int request = 0; request < 300; ++request) {
    story.use(pooled, {.place = "list_orders"});
    story.wait(10ms);
  }
  INFO(story.told());
  const auto findings = story.findings();
  const auto& finding = only_leak(findings);
  CHECK(finding.members.size() == 12);
  CHECK(finding.why[0].find("while others served") != std::string::npos);
  const auto spared = story.not_flagged();
  REQUIRE(spared.size() == 1);
  CHECK(spared[0].connections == 1);
}

TEST_CASE("threads that each lose their connection and end disprove affinity") {
  Story story;
  for (std::uint32_t i = 0; i < 40; ++i) {
    story.use(story.open({.thread = 200 + i}), {.thread = 200 + i});
    story.thread_exit(100, 200 + i);
    story.wait(150ms);
  }
  story.wait(1s);
  INFO(story.told());
  const auto findings = story.findings();
  CHECK(only_leak(findings, "L5").members.size() == 40);
  CHECK(findings[0].also == std::vector<std::string>{"L1"});
}

TEST_CASE("two places that leak are two findings") {
  Story story;
  for (int i = 0; i < 30; ++i) {
    story.use(story.open(), {.place = i % 3 == 0 ? "export_csv" : "handle_order"});
    story.wait(200ms);
  }
  story.wait(1s);
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].members.size() == 20);
  CHECK(findings[1].members.size() == 10);
}

TEST_CASE("without frames a leak is still found, and its place said to be unknown") {
  Story story({.frames = false});
  leak(story, 40, 200ms);
  story.wait(1s);
  INFO(story.told());
  const auto findings = story.findings();
  const auto& finding = only_leak(findings);
  CHECK(finding.members.size() == 40);
  CHECK_FALSE(finding.stack->has_application_frame());
}

TEST_CASE("places that are not known are one finding, though their stacks differ") {
  Story story({.frames = false});
  for (int i = 0; i < 40; ++i) {
    story.use(story.open(), {.place = "somewhere_" + std::to_string(i)});
    story.wait(250ms);
  }
  story.wait(1s);
  const auto findings = story.findings();
  INFO(story.told());
  CHECK(only_leak(findings).members.size() == 40);
}

TEST_CASE("a leak hidden among keep-alive sessions is found") {
  Story story;
  for (int i = 0; i < 200; ++i) story.session();
  story.wait(2s);
  leak(story, 40, 200ms);
  story.wait(1s);
  INFO(story.told());
  const auto findings = story.findings();
  CHECK(only_leak(findings).members.size() == 40);
}

TEST_CASE("a leak is found though edges are lost all the time, and said to be incomplete") {
  Story story;
  for (int i = 0; i < 40; ++i) {
    story.use(story.open());
    story.lose(1);
    story.wait(300ms);
  }
  story.wait(4s);
  const auto findings = story.findings();
  INFO(story.told());
  const auto& finding = only_leak(findings);
  CHECK(finding.members.size() == 40);
  CHECK_FALSE(finding.complete);
}

TEST_CASE("after a storm has passed the mark falls, and a later leak is found") {
  Story story;
  std::vector<Wire*> storm;
  for (int i = 0; i < 100; ++i) storm.push_back(&story.open());
  for (Wire* wire : storm) story.use(*wire);
  for (Wire* wire : storm) story.close(*wire);
  leak(story, 30, 500ms);
  INFO(story.told());
  CHECK(story.findings().empty());  // 30 of a mark of 100
  story.wait(601s);
  leak(story, 30, 500ms);
  story.wait(1s);
  const auto findings = story.findings();
  INFO(story.told());
  CHECK(only_leak(findings).members.size() == 60);
}

TEST_CASE("under TLS, the user unknown, a leak is found by direction alone") {
  Story story;
  for (int i = 0; i < 40; ++i) {
    story.use(story.open({.tls = true}));
    story.wait(250ms);
  }
  story.wait(2s);
  const auto findings = story.findings();
  INFO(story.told());
  CHECK(only_leak(findings).members.size() == 40);
  CHECK(story.groups().at(0)->key.user.empty());
}

TEST_CASE("where whose turn it is cannot be seen, nothing is accused") {
  Story story;
  for (int i = 0; i < 40; ++i) {
    Wire& wire = story.open();
    story.use(wire);
    wire.record.turn = WIRE_TURN_UNKNOWN;
    story.wait(250ms);
  }
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.not_flagged().at(0).reason == "whose turn it is cannot be seen");
}

TEST_CASE("the same story twice gives the same words") {
  const auto tell = [] {
    Story story;
    for (int i = 0; i < 30; ++i) {
      story.use(story.open({.user = i % 2 == 0 ? "a" : "b"}),
                {.place = i % 3 == 0 ? "export_csv" : "handle_order"});
      story.wait(200ms);
    }
    story.exit();
    story.finish();
    return story.told();
  };
  const std::string first = tell();
  CHECK(first == tell());
  CHECK(first == tell());
}

TEST_CASE("explain answers every rule, for a process and for one connection") {
  Story story;
  Wire& first = story.open();
  story.use(first);
  leak(story, 30, 250ms);
  story.wait(1s);
  const auto& process = *story.model().processes().begin()->second;
  const auto of_process = story.detector().explain(process);
  std::vector<std::string> rules;
  for (const auto& answer : of_process) {
    rules.push_back(answer.rule);
    INFO(answer.rule << ": " << answer.reason);
    CHECK(answer.fires == (answer.name == "never-closed"));
    CHECK_FALSE(answer.reason.empty());
  }
  CHECK(rules == std::vector<std::string>{"L6", "L8", "L7", "L3", "L4", "L2", "L11", "L2", "L5", "L9", "L1", "L1",
                                          "L10", "L12", "HELD", "STALE"});
  CHECK(of_process[2].reason.find("never grew") != std::string::npos);
  const auto* one = story.model().find({first.record.cookie, first.record.opened_ns});
  REQUIRE(one != nullptr);
  const auto answers = story.detector().explain(*one);
  REQUIRE(answers.size() == rules.size());
  for (const auto& answer : answers) CHECK(answer.fires == (answer.name == "never-closed"));
}

TEST_CASE("attached late: the old ones are no growth, fresh growth is judged") {
  Story story;
  for (int i = 0; i < 30; ++i) {
    Wire& old = story.open();
    old.record.flags |= WIRE_FLAG_LATE;
    old.record.handshake_ns = 0;
    old.record.turn = WIRE_TURN_UNKNOWN;
    old.record.socket_use_ns = story.now() - 50'000'000'000;
  }
  story.wait(10s);
  INFO(story.told());
  CHECK(story.findings().empty());
  leak(story, 30, 200ms);
  story.wait(1s);
  const auto findings = story.findings();
  CHECK(only_leak(findings).members.size() == 30);
}

}  // namespace connleak::test
