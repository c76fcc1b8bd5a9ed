// SPDX-License-Identifier: Apache-2.0
// Which places are blamed where several fell silent: a pool beside a leak is not.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

namespace {

constexpr auto kStep = 20ms;

// The program's own traffic, which gives T its history.
void serve(Story& story, Wire& shared, std::chrono::nanoseconds duration) {
  for (auto left = duration; left > 0ns; left -= kStep) {
    story.use(shared, {.place = "serve"});
    story.wait(kStep);
  }
}

// A pool of the same server, user and database: filled by one burst.
std::vector<Wire*> fill(Story& story, int size) {
  std::vector<Wire*> pool;
  for (int i = 0; i < size; ++i) pool.push_back(&story.open());
  for (Wire* member : pool) story.begin(*member, {.place = "warm_up"});
  story.wait(10ms);
  for (Wire* member : pool) story.answer(*member);
  return pool;
}

}  // namespace

TEST_CASE("a healthy pool that lies idle beside a leak is not accused with it") {
  Story story;
  Wire& shared = story.open();
  fill(story, 48);
  serve(story, shared, 3s);
  for (int i = 0; i < 40; ++i) {
    story.use(story.open(), {.place = "find_order"});
    serve(story, shared, 100ms);
  }
  serve(story, shared, 2s);
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].verdict == detect::Verdict::leak);
  CHECK(findings[0].members.size() == 40);
  REQUIRE(findings[0].stack != nullptr);
  CHECK(findings[0].stack->culprit_frame()->function == "find_order");
  std::uint64_t pooled = 0;
  for (const auto& spared : story.not_flagged())
    if (spared.reason.find("another place") != std::string::npos) pooled += spared.connections;
  CHECK(pooled == 48);
}

TEST_CASE("two places that leak in turn are both accused") {
  Story story;
  Wire& shared = story.open();
  serve(story, shared, 1s);
  for (int i = 0; i < 40; ++i) {
    story.use(story.open(), {.place = i % 8 == 0 ? "cancel_order" : "find_order"});
    serve(story, shared, 100ms);
  }
  serve(story, shared, 2s);
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 2);
  CHECK(findings[0].members.size() == 35);
  CHECK(findings[1].members.size() == 5);
}

TEST_CASE("what one line lost is one finding, whoever called it") {
  Story story;
  Wire& shared = story.open();
  serve(story, shared, 1s);
  for (int i = 0; i < 40; ++i) {
    story.use(story.open(), {.place = i % 8 == 0 ? "query<cancel_order<main" : "query<find_order<main"});
    serve(story, shared, 400ms);
  }
  serve(story, shared, 2s);
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].verdict == detect::Verdict::leak);
  CHECK(findings[0].members.size() == 40);
  CHECK(findings[0].epochs == 40);
  CHECK(std::is_sorted(findings[0].members.begin(), findings[0].members.end(), [](const auto& a, const auto& b) {
    return a.connection->key.opened_ns < b.connection->key.opened_ns;
  }));
  CHECK(findings[0].why.front().starts_with("40 connections opened in 40 epochs"));
  std::size_t ladders = 0;
  for (const std::string& why : findings[0].why)
    ladders += why.find("high-water marks in a row") != std::string::npos;
  CHECK(ladders == 1);
  // The stack is that of most members.
  REQUIRE(findings[0].stacks.size() == 2);
  CHECK(findings[0].stack == findings[0].stacks[0]);
  CHECK(findings[0].stack->frames[2].function == "find_order");
  CHECK(findings[0].stacks[1]->frames[2].function == "cancel_order");
}

TEST_CASE("where the last use names nobody, who opened it does") {
  Story story;
  Wire& shared = story.open();
  serve(story, shared, 1s);
  for (int i = 0; i < 40; ++i) {
    Wire& lost = story.open();
    if (i != 0) story.opened_at(lost, "borrow");
    // A driver's own task sends: no frame of the application is on its stack.
    story.use(lost, {.place = ""});
    serve(story, shared, 100ms);
  }
  serve(story, shared, 2s);
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].stack != nullptr);
  REQUIRE(findings[0].stack->culprit_frame() != nullptr);
  CHECK(findings[0].stack->culprit_frame()->function == "borrow");
  CHECK(findings[0].stack_of == detect::StackOf::open);
  CHECK(story.told().find("the stack is of who opened them") != std::string::npos);
}

TEST_CASE("where no stack names anybody, that of the last use is shown") {
  Story story;
  Wire& shared = story.open();
  serve(story, shared, 1s);
  for (int i = 0; i < 40; ++i) {
    story.use(story.open(), {.place = ""});
    serve(story, shared, 100ms);
  }
  serve(story, shared, 2s);
  story.finish();
  INFO(story.told());
  const auto findings = story.findings();
  REQUIRE(findings.size() == 1);
  REQUIRE(findings[0].stack != nullptr);
  CHECK(findings[0].stack->culprit_frame() == nullptr);
  CHECK(findings[0].stack_of == detect::StackOf::last_use);
}

}  // namespace connleak::test
