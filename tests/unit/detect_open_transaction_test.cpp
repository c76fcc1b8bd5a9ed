// SPDX-License-Identifier: Apache-2.0
// L3: transactions that were begun and left.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

// Begins a transaction and leaves it.
Wire& leave_open(Story& story, const char* place) {
  Wire& wire = story.open();
  story.use(wire, {0, place, 2ms, true});
  return wire;
}

// Finishes transactions of 2 s, as the kernel's record counts them.
void finished(Wire& wire, std::uint64_t count) {
  wire.record.transactions = count;
  wire.record.longest_transaction_ns = 2'000'000'000;
}

}  // namespace

TEST_CASE("L3: an open transaction is held first, then suspect, and three of one place are a leak") {
  Story story;
  leave_open(story, "checkout");
  story.wait(10s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::held);
  story.wait(20s);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::suspect);
  CHECK(story.findings()[0].rule == "L3");
  CHECK(story.findings()[0].confidence == detect::Confidence::medium);
  leave_open(story, "checkout");
  leave_open(story, "checkout");
  story.wait(30s);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].members.size() == 3);
}

TEST_CASE("L3: three open transactions of three places are suspects each") {
  Story story;
  for (const char* place : {"checkout", "refund", "audit"}) leave_open(story, place);
  story.wait(30s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 3);
  for (const auto& finding : story.findings()) CHECK(finding.verdict == Verdict::suspect);
}

TEST_CASE("L3: a failed transaction waits for nothing, so --hold-after is enough") {
  Story story;
  for (int i = 0; i < 3; ++i) leave_open(story, "checkout").record.transaction = WIRE_TRANSACTION_FAILED;
  story.wait(4s);
  CHECK(story.findings().empty());
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].confidence == detect::Confidence::high);
}

TEST_CASE("L3: a place whose transactions take long is given 20 times as long") {
  Story story;
  finished(leave_open(story, "batch"), 25);
  story.wait(35s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::held);
  story.wait(10s);
  CHECK(story.findings()[0].rule == "L3");

  Story few;
  finished(leave_open(few, "batch"), 19);
  few.wait(35s);
  CHECK(few.findings()[0].rule == "L3");
}

TEST_CASE("L3: its own byte takes it back, and that is counted") {
  Story story;
  Wire& wire = leave_open(story, "checkout");
  story.wait(30s);
  REQUIRE(story.findings().size() == 1);
  story.use(wire);
  story.wait(2s);
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.retracted("L3") == 1);
  CHECK(story.retracted("HELD") == 0);
}

TEST_CASE("L3: what stands when the process exits stays") {
  Story story;
  for (int i = 0; i < 3; ++i) leave_open(story, "checkout");
  story.wait(30s);
  story.exit();
  story.finish();
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
}

}  // namespace connleak::test
