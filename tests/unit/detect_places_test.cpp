// SPDX-License-Identifier: Apache-2.0
// Which places are blamed where several fell silent: a pool beside a leak is not.
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

}  // namespace connleak::test
