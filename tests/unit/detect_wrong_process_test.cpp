// SPDX-License-Identifier: Apache-2.0
// L6: connections that another process holds than the one that opened them.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

using detect::Verdict;

namespace {

constexpr std::uint32_t kCreator = 100;
constexpr std::uint32_t kChild = 200;
constexpr std::uint32_t kGrandchild = 300;

// A connection of the creator that was used.
Wire& lookup(Story& story) {
  Wire& wire = story.open();
  story.use(wire, {0, "lookup"});
  return wire;
}

}  // namespace

TEST_CASE("L6: one connection that an executed program holds after its creator exited is a leak") {
  Story story;
  Wire& wire = lookup(story);
  story.fork(kCreator, kChild);
  story.execute(kChild, "sleep");
  story.hold(wire, {kCreator, kChild});
  story.wait(3s);
  INFO(story.told());
  CHECK(story.findings().empty());
  story.leave(kCreator);
  story.hold(wire, {kChild});
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  CHECK(story.findings()[0].rule == "L6");
  CHECK(story.groups().back()->process->key.tgid == kChild);
}

TEST_CASE("L6: a creator that closes its copy and lives on is believed after two scans") {
  Story story;
  Wire& wire = lookup(story);
  story.fork(kCreator, kChild);
  story.execute(kChild, "sleep");
  story.hold(wire, {kCreator, kChild});
  story.hold(wire, {kChild});
  story.wait(3s);
  INFO(story.told());
  CHECK(story.findings().empty());
  story.hold(wire, {kChild});
  story.wait(3s);
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
}

TEST_CASE("L6: what was only forked is suspect, and nothing once the creator said goodbye") {
  for (const bool goodbye : {false, true}) {
    Story story;
    Wire& wire = lookup(story);
    story.fork(kCreator, kChild);
    if (goodbye) wire.record.flags |= WIRE_FLAG_GOODBYE;
    for (int scan = 0; scan < 2; ++scan) story.hold(wire, {kChild});
    story.wait(3s);
    INFO(story.told());
    REQUIRE(story.findings().size() == (goodbye ? 0 : 1));
    if (!goodbye) CHECK(story.findings()[0].verdict == Verdict::suspect);
  }
}

TEST_CASE("L6: a shell between the creator and the program changes nothing") {
  Story story;
  Wire& wire = lookup(story);
  story.fork(kCreator, kChild);
  story.execute(kChild, "sh");
  story.fork(kChild, kGrandchild);
  story.execute(kGrandchild, "sleep");
  story.leave(kChild);
  story.wait(3s);
  for (int scan = 0; scan < 2; ++scan) story.hold(wire, {kGrandchild});
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].rule == "L6");
}

TEST_CASE("L6: a program that was executed over its own connections has lost them") {
  Story story;
  Wire& wire = lookup(story);
  story.wait(1s);
  story.execute(kCreator, "worker");
  story.hold(wire, {kCreator});
  story.wait(3s);
  INFO(story.told());
  REQUIRE(story.findings().size() == 1);
  CHECK(story.findings()[0].verdict == Verdict::leak);
  // The new program finds it after all.
  story.use(wire);
  story.hold(wire, {kCreator});
  story.wait(3s);
  CHECK(story.findings().empty());
  CHECK(story.retracted("L6") == 1);
}

TEST_CASE("L6: a successor that uses one of what it inherited was meant to have all of it") {
  Story story;
  Wire& used = lookup(story);
  Wire& idle = lookup(story);
  story.fork(kCreator, kChild);
  story.execute(kChild, "successor");
  used.record.last_user = story.started(kChild);
  used.record.last_use_ns = used.record.last_answer_ns = story.now();
  story.scan();
  for (int scan = 0; scan < 2; ++scan)
    for (Wire* wire : {&used, &idle}) story.hold(*wire, {kChild});
  story.wait(5s);
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("L6: a process that was there before the connection has it from somebody's hand") {
  Story story;
  lookup(story);
  story.fork(kCreator, kChild);
  story.execute(kChild, "successor");
  story.wait(100ms);
  Wire& wire = lookup(story);
  for (int scan = 0; scan < 2; ++scan) story.hold(wire, {kChild});
  story.wait(5s);
  INFO(story.told());
  CHECK(story.findings().empty());
}

}  // namespace connleak::test
