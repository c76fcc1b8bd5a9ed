// SPDX-License-Identifier: Apache-2.0
// L4: answers that nobody reads on.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

// A request whose answer the program stops reading; the server waits to write the rest.
Wire& abandon(Story& story) {
  Wire& wire = story.open();
  story.begin(wire, {0, "export_all"});
  wire.record.last_answer_ns = story.now();
  wire.record.unread_bytes = 60'000;
  wire.record.copied_seq = 1000;
  return wire;
}

void serve(Story& story, Wire& wire, int seconds) {
  for (int i = 0; i < seconds; ++i) {
    story.use(wire);
    story.wait(1s);
  }
}

}  // namespace

TEST_CASE("L4: three answers that lie unread are a leak, the connections beside them are not") {
  Story story;
  Wire& other = story.open();
  for (int i = 0; i < 3; ++i) abandon(story);
  serve(story, other, 4);
  CHECK(story.findings().empty());
  serve(story, other, 4);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L4");
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].members.size() == 3);
}

TEST_CASE("L4: a slow consumer drains, if only now and then") {
  Story story;
  Wire& other = story.open();
  Wire& slow = abandon(story);
  for (int i = 0; i < 10; ++i) {
    serve(story, other, 3);
    slow.record.copied_seq += 500;
    slow.record.unread_bytes -= 500;
  }
  serve(story, other, 20);  // not yet ten times a pause of 3 s
  INFO(story.told());
  CHECK(story.findings().empty());
  serve(story, other, 20);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L4");
}

TEST_CASE("L4: a process that stands still as a whole abandons nothing") {
  Story story;
  for (int i = 0; i < 3; ++i) abandon(story);
  story.wait(60s);
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("L4: reading on takes it back") {
  Story story;
  Wire& other = story.open();
  Wire& wire = abandon(story);
  serve(story, other, 8);
  REQUIRE(story.findings().size() == 1);
  wire.record.copied_seq += 60'000;
  wire.record.unread_bytes = 0;
  story.answer(wire);
  serve(story, other, 2);
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.retracted("L4") == 1);
}

}  // namespace connleak::test
