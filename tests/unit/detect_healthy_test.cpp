// SPDX-License-Identifier: Apache-2.0
// Programs that look like a leak and are none: no finding, and a reason.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

namespace {

// A pool that reuses the one returned last, and creates when it has none.
class Pool {
 public:
  Pool(Story& story, UseOptions how) : story_(story), how_(std::move(how)) {}
  Wire& take() {
    if (idle_.empty()) return story_.open();
    Wire& wire = *idle_.back();
    idle_.pop_back();
    return wire;
  }
  void give(Wire& wire) { idle_.push_back(&wire); }
  // `width` requests at the same time.
  void serve(int width) {
    std::vector<Wire*> taken;
    for (int i = 0; i < width; ++i) {
      taken.push_back(&take());
      story_.begin(*taken.back(), how_);
    }
    story_.wait(how_.takes);
    for (Wire* wire : taken) {
      story_.answer(*wire);
      give(*wire);
    }
  }
  std::vector<Wire*>& idle() { return idle_; }

 private:
  Story& story_;
  UseOptions how_;
  std::vector<Wire*> idle_;
};

void nothing_found(Story& story) {
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK(story.detector().retractions().empty());
}

}  // namespace

TEST_CASE("sessions that ended just before the exit still account for their connections") {
  Story story;
  std::vector<std::uint64_t> sessions;
  std::vector<Wire*> wires;
  for (int i = 0; i < 40; ++i) {
    sessions.push_back(story.session());
    wires.push_back(&story.open());
    story.use(*wires.back());
    story.wait(200ms);
  }
  for (const auto session : sessions) story.end_session(session);
  for (Wire* wire : wires) story.close(*wire);
  story.wait(1s);
  story.exit();
  story.wait(500ms);
  INFO(story.told());
  CHECK(story.findings().empty());
}

TEST_CASE("a pool of minimum size that is hardly used") {
  Story story;
  for (int i = 0; i < 10; ++i) story.open();
  story.wait(60s);
  nothing_found(story);
  const auto spared = story.not_flagged();
  REQUIRE(spared.size() == 1);
  CHECK(spared[0].connections == 10);
  CHECK(spared[0].reason.find("never used") != std::string::npos);
}

TEST_CASE("a burst of 10, then serial use for a minute: the cold tail is a pool's spares") {
  Story story;
  Pool pool(story, {});
  pool.serve(10);
  for (int i = 0; i < 600; ++i) {
    pool.serve(1);
    story.wait(100ms);
  }
  nothing_found(story);
  const auto spared = story.not_flagged();
  REQUIRE(!spared.empty());
  CHECK(spared[0].connections == 9);
  CHECK(
      spared[0].reason.find("the count has not grown since its high-water mark of 10; a pool keeps such spares") !=
      std::string::npos);
  story.exit();
  story.finish();
  nothing_found(story);
  CHECK(story.not_flagged().at(0).connections == 9);  // still said after the end
}

TEST_CASE("waves, each higher than the last") {
  Story story;
  Pool pool(story, {});
  for (int wave = 1; wave <= 12; ++wave) {
    pool.serve(wave * 4);
    story.wait(5s);
  }
  nothing_found(story);
}

TEST_CASE("connections are rotated at the end of their lifetime") {
  Story story;
  Pool pool(story, {});
  pool.serve(10);
  for (int i = 0; i < 200; ++i) {
    pool.serve(3);
    story.wait(500ms);
    // The replacement is opened first, so that the count exceeds its mark for a moment.
    Wire& old = *pool.idle().front();
    pool.idle().erase(pool.idle().begin());
    pool.idle().push_back(&story.open());
    story.close(old);
  }
  nothing_found(story);
}

TEST_CASE("workers warm up one by one, each with a connection of its own thread") {
  Story story;
  std::vector<Wire*> own;
  for (std::uint32_t worker = 0; worker < 40; ++worker) {
    own.push_back(&story.open({.thread = 200 + worker}));
    story.use(*own.back(), {.thread = 200 + worker});
    story.wait(700ms);
  }
  story.wait(2s);
  nothing_found(story);
  CHECK(story.groups()[0]->affine());
  // Its threads end with the process: that disproves nothing.
  story.exit();
  story.finish();
  nothing_found(story);
}

TEST_CASE("one connection for each websocket session") {
  Story story;
  for (int i = 0; i < 60; ++i) {
    story.session();
    story.wait(20ms);
    story.use(story.open());
    story.wait(600ms);
  }
  nothing_found(story);
  bool said = false;
  for (const auto& spared : story.not_flagged()) said = said || spared.reason.find("session") != std::string::npos;
  INFO(story.told());
  CHECK(said);
}

TEST_CASE("a pool for each module: many places, one ladder") {
  Story story;
  for (int module = 0; module < 40; ++module) {
    Pool pool(story, {.place = "module_" + std::to_string(module)});
    pool.serve(2);
    story.wait(400ms);
  }
  nothing_found(story);
}

TEST_CASE("a pool for each tenant: users apart are groups apart") {
  Story story;
  for (int tenant = 0; tenant < 40; ++tenant) {
    story.use(story.open({.user = "tenant" + std::to_string(tenant)}));
    story.wait(400ms);
  }
  nothing_found(story);
  CHECK(story.groups().size() == 40);
}

TEST_CASE("a pool that keeps a minimum of idle members while load ramps up") {
  Story story;
  std::deque<Wire*> idle;
  std::vector<Wire*> busy;
  for (int i = 0; i < 5; ++i) idle.push_back(&story.open());
  for (int step = 0; step < 30; ++step) {
    busy.push_back(idle.back());
    idle.pop_back();
    idle.push_front(&story.open());
    for (int request = 0; request < 20; ++request) {
      for (Wire* wire : busy) story.use(*wire, {.takes = 1ms});
      story.wait(20ms);
    }
  }
  story.wait(5s);
  nothing_found(story);
}

TEST_CASE("after a storm the mark falls, and the pool goes on as before") {
  Story story;
  std::vector<Wire*> storm;
  for (int i = 0; i < 60; ++i) storm.push_back(&story.open());
  for (Wire* wire : storm) story.use(*wire);
  for (Wire* wire : storm) story.close(*wire);
  Pool pool(story, {});
  for (int minute = 0; minute < 15; ++minute) {
    pool.serve(2 + minute);
    story.wait(60s);
  }
  nothing_found(story);
}

TEST_CASE("a driver that connects first and uses its spares next, in one turn of its loop") {
  Story story;
  std::vector<Wire*> pool;
  for (int round = 0; round < 25; ++round) {
    pool.push_back(&story.open());
    story.scan();  // the spares are still idle here
    for (int request = 0; request < 150; ++request)
      for (Wire* wire : pool) story.use(*wire, {.takes = 10us});
    story.wait(900ms);
  }
  nothing_found(story);
}

TEST_CASE("lost edges of a connect storm invent no leak, and two scans repair the table") {
  Story story;
  for (int i = 0; i < 400; ++i) {
    Wire& wire = story.open();
    story.use(wire, {.takes = 1ms});
    story.close(wire, i % 3 != 0);
    story.wait(20ms);
  }
  INFO(story.told());
  CHECK(story.findings().empty());
  CHECK_FALSE(story.model().losses().complete());
  story.wait(5s);
  nothing_found(story);
  REQUIRE(story.groups().size() == 1);
  CHECK(story.groups()[0]->members.empty());
  CHECK(story.groups()[0]->opened == story.groups()[0]->closed);
  CHECK(story.model().losses().repaired == 266);
}

TEST_CASE("lost edges of connections that scans have seen: who is missing is not taken for idle") {
  Story story;
  std::deque<Wire*> open;
  for (int i = 0; i < 200; ++i) {
    open.push_back(&story.open());
    story.use(*open.back());
    story.wait(200ms);
    if (open.size() <= 6) continue;
    story.close(*open.front(), i > 30);
    open.pop_front();
    CHECK(story.findings().empty());
  }
  story.wait(5s);
  nothing_found(story);
  CHECK(story.groups().at(0)->members.size() == 6);
  CHECK(story.groups().at(0)->opened == 200);
}

TEST_CASE("lost edges, and the process ends before they are repaired") {
  Story story;
  for (int i = 0; i < 60; ++i) {
    Wire& wire = story.open();
    story.use(wire, {.takes = 1ms});
    story.close(wire, true);
    story.wait(30ms);
  }
  story.exit();
  story.finish();
  nothing_found(story);
}

TEST_CASE("connections that say nothing are candidates, in no group") {
  Story story;
  for (int i = 0; i < 30; ++i) {
    Wire& wire = story.open({.handshake = false});
    wire.record.protocol = WIRE_PROTOCOL_UNKNOWN;
    wire.record.user[0] = wire.record.database[0] = '\0';
    story.wait(500ms);
  }
  nothing_found(story);
  CHECK(story.groups().empty());
  CHECK(story.model().candidates() == 30);
}

TEST_CASE("a pool that was there before the observer and replaces its members is no growth; growth beyond it is") {
  Story story;
  std::vector<Wire*> before;
  for (int i = 0; i < 45; ++i) {
    before.push_back(&story.open({100, 0, "", ""}));
    before.back()->record.flags |= WIRE_FLAG_LATE;
  }
  story.wait(2s);
  for (Wire* old : before) {
    story.use(story.open());
    story.close(*old);
    story.wait(200ms);
  }
  story.wait(2s);
  CHECK(story.findings().empty());
  for (int i = 0; i < 60; ++i) {
    story.use(story.open(), {0, "find_order", 2ms, false});
    story.wait(200ms);
  }
  story.wait(2s);
  const auto findings = story.findings();
  CHECK(std::any_of(findings.begin(), findings.end(), [](const detect::Finding& finding) {
    return finding.verdict == detect::Verdict::leak && finding.members.size() == 60 && finding.stack != nullptr &&
           finding.stack->culprit_frame()->function == "find_order";
  }));
}

}  // namespace connleak::test
