// SPDX-License-Identifier: Apache-2.0
// Events become connections, groups and processes.
#include <catch2/catch_test_macros.hpp>

#include "story.hpp"

namespace connleak::test {

namespace {

const model::Connection& the(const Story& story, const Wire& wire) {
  const auto* found = story.model().find({wire.record.cookie, wire.record.opened_ns});
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("a connection's life: opening, open, half-closed, closed, forgotten") {
  Story story;
  Wire& wire = story.open();
  CHECK(the(story, wire).group == nullptr);  // the user comes with the next scan
  story.use(wire);
  story.wait(1s);
  CHECK(the(story, wire).group->key.user == "app");
  CHECK(model::state(the(story, wire)) == model::State::idle);
  story.peer_close(wire);
  CHECK(model::state(the(story, wire)) == model::State::half_closed);
  const model::ConnectionKey key = the(story, wire).key;
  story.close(wire);
  CHECK(model::state(the(story, wire)) == model::State::closed);
  CHECK(story.groups().at(0)->members.empty());
  story.wait(6s);
  CHECK(story.model().find(key) == nullptr);
  CHECK(story.groups().at(0)->opened == 1);
  CHECK(story.groups().at(0)->closed == 1);
}

TEST_CASE("ages are exact, or at least since the observer came") {
  Story story;
  Wire& wire = story.open();
  story.use(wire);
  story.wait(5s);
  const auto exact = model::age(the(story, wire), wire.record.opened_ns + 7);
  CHECK(exact.kind == model::AgeKind::exact);
  CHECK(exact.ns == 7);
  CHECK(model::idle_since(the(story, wire)) == wire.record.last_answer_ns);
  wire.record.flags |= WIRE_FLAG_LATE;
  story.wait(1s);
  CHECK(model::age(the(story, wire), story.now()).kind == model::AgeKind::at_least);
}

TEST_CASE("idle time: never used counts from the login, late and silent from the socket's stamp") {
  model::Connection connection;
  CHECK_FALSE(model::idle_since(connection).has_value());
  connection.record.established_ns = 5;
  CHECK(model::idle_since(connection) == 5u);
  connection.record.handshake_ns = 9;
  CHECK(model::idle_since(connection) == 9u);
  model::Connection late;
  late.record.flags = WIRE_FLAG_LATE;
  late.key.opened_ns = 100;
  CHECK_FALSE(model::idle_since(late).has_value());
  late.record.socket_use_ns = 40;
  CHECK(model::idle_since(late) == 40u);
  late.record.last_use_ns = 120;
  CHECK(model::idle_since(late) == 120u);
}

TEST_CASE("late and silent: the protocol of a sibling, else of the well-known port, marked assumed") {
  Story story;
  for (const int number : {5432, 7777, 6666}) {
    const auto port = static_cast<std::uint16_t>(number);
    ConnectionEvent event = connection(WIRE_LEVEL, 1000u + port, story.now());
    event.connection.flags = WIRE_FLAG_LATE;
    event.connection.protocol = WIRE_PROTOCOL_UNKNOWN;
    event.connection.remote_port = port;
    event.connection.user[0] = event.connection.database[0] = '\0';
    story.emit(story.now(), event);
  }
  ConnectionEvent sibling = connection(WIRE_LEVEL, 2000, story.now());
  sibling.connection.remote_port = 7777;
  story.emit(story.now(), sibling);
  const std::uint64_t opened = story.now();
  story.scan();
  CHECK(story.model().find({6432, opened})->protocol_assumed);
  CHECK(story.model().find({8777, opened})->protocol_assumed);
  CHECK_FALSE(story.model().find({7666, opened})->protocol_assumed);
  CHECK(story.model().find({7666, opened})->group == nullptr);
}

TEST_CASE("late and nameless: with the one account of its process there, alone where there are two") {
  Story story;
  const auto late = [&](std::uint64_t cookie) {
    ConnectionEvent event = connection(WIRE_LEVEL, cookie, story.now());
    event.connection.flags = WIRE_FLAG_LATE;
    event.connection.user[0] = event.connection.database[0] = '\0';
    story.emit(story.now(), event);
    return model::ConnectionKey{cookie, event.connection.opened_ns};
  };
  const auto named = [&](std::uint64_t cookie, const char* user) {
    ConnectionEvent event = connection(WIRE_LEVEL, cookie, story.now());
    put_text(event.connection.user, user);
    story.emit(story.now(), event);
  };
  const model::ConnectionKey before = late(1);
  CHECK(story.model().find(before)->group->key.user.empty());
  named(2, "alice");
  CHECK(story.model().find(before)->group->key.user == "alice");
  CHECK(story.model().find(before)->group->opened == 2);
  const model::ConnectionKey between = late(3);
  CHECK(story.model().find(between)->group->key.user == "alice");
  named(4, "bob");
  const model::ConnectionKey after = late(5);
  CHECK(story.model().find(after)->group->key.user.empty());
  CHECK(story.model().find(before)->group->key.user == "alice");
}

TEST_CASE("absence from one scan is no evidence, from two it is a close") {
  Story story;
  Wire& wire = story.open();
  story.use(wire);
  story.wait(1s);
  story.hide(wire);
  story.scan();
  CHECK(the(story, wire).held());
  story.hide(wire, false);
  story.scan();
  story.hide(wire);
  story.scan();
  CHECK(the(story, wire).held());
  story.scan();
  CHECK_FALSE(the(story, wire).held());
  CHECK(story.model().losses().repaired == 1);
  story.hide(wire, false);
  story.scan();
  CHECK(the(story, wire).held());
  CHECK(story.model().losses().repaired == 0);
}

TEST_CASE("what turns out to be no database is dropped") {
  Story story;
  Wire& wire = story.open({.handshake = false});
  const ConnectionEvent dismissed = [&] {
    ConnectionEvent event;
    event.type = WIRE_DISMISSED;
    event.connection = wire.record;
    return event;
  }();
  wire.open = false;
  story.scan();
  story.scan();
  story.emit(story.now(), dismissed);
  story.wait(8s);
  CHECK(story.model().remembered() == 0);
  CHECK(story.model().dismissed() == 1);
}

TEST_CASE("a refused connect counts as failed") {
  Story story;
  ConnectionEvent event = connection(WIRE_OPENED, 1, story.now());
  event.connection.protocol = WIRE_PROTOCOL_UNKNOWN;
  event.connection.established_ns = 0;
  event.connection.user[0] = event.connection.database[0] = '\0';
  story.emit(story.now(), event);
  event.type = WIRE_FAILED;
  story.emit(story.now() + 10, event);
  event.type = WIRE_CLOSED;
  event.connection.closed_ns = story.now() + 20;
  story.emit(story.now() + 20, event);
  story.wait(5s);
  REQUIRE(story.groups().size() == 1);
  CHECK(story.groups()[0]->failed == 1);
  CHECK(story.groups()[0]->opened == 0);
  CHECK(story.model().remembered() == 0);
}

TEST_CASE("holders are those of the latest scan") {
  Story story;
  Wire& wire = story.open();
  const auto hold = [&](std::uint32_t fd) {
    story.emit(story.now(), ScanEvent{false, WIRE_SCAN_HOLDERS, story.now()});
    story.emit(story.now(), HolderEvent{wire.record.cookie, wire.record.opened_ns, thread_of(100), fd, "app"});
    story.emit(story.now(), ScanEvent{true, WIRE_SCAN_HOLDERS, story.now()});
  };
  hold(5);
  hold(9);
  REQUIRE(the(story, wire).holders.size() == 1);
  CHECK(the(story, wire).holders[0].fd == 9);
}

TEST_CASE("what a child inherited moves to it when the parent is gone") {
  Story story;
  Wire& wire = story.open();
  story.use(wire);
  story.wait(1s);
  story.emit(story.now(), ProcessEvent{WIRE_FORK, thread_of(101), thread_of(100), "app"});
  story.emit(story.now(), ScanEvent{false, WIRE_SCAN_HOLDERS, story.now()});
  story.emit(story.now(), HolderEvent{wire.record.cookie, wire.record.opened_ns, thread_of(101), 5, "app"});
  story.emit(story.now(), ProcessEvent{WIRE_EXIT, thread_of(100), {}, ""});
  story.wait(3s);
  CHECK(the(story, wire).held());
  CHECK(the(story, wire).process->key.tgid == 101);
  CHECK(the(story, wire).process->parent->tgid == 100);
  CHECK(the(story, wire).group->process->key.tgid == 101);
  CHECK(the(story, wire).group->members.size() == 1);
}

TEST_CASE("stack ids: over modules and functions where known, over addresses else, and names may come later") {
  model::StackBook book;
  const model::Stack* unknown = book.intern({1, 2}, book);
  CHECK_FALSE(unknown->stable);
  CHECK(unknown->id.size() == 16);
  CHECK(book.intern({1, 2}, book) == unknown);
  const std::string before = unknown->id;
  book.add_symbol({thread_of(1), 1, 0, 1, 0x10, {}, "send", {}, "libc.so.6", WIRE_LANGUAGE_NATIVE, false},
                  CulpritRules());
  book.add_symbol({thread_of(1), 2, 0, 2, 0x20, 7, "inlined", "a.go", "app", WIRE_LANGUAGE_GO, true},
                  CulpritRules());
  book.add_symbol({thread_of(1), 2, 1, 2, 0x20, 9, "caller", "a.go", "app", WIRE_LANGUAGE_GO, true},
                  CulpritRules());
  CHECK(book.resolve_pending());
  CHECK(unknown->stable);
  CHECK(unknown->go);
  CHECK(unknown->id != before);
  CHECK(unknown->frames.size() == 3);
  CHECK(unknown->culprit_frame()->function == "inlined");
  model::StackBook other;  // the same code elsewhere in memory, from another build
  other.add_symbol({thread_of(1), 101, 0, 1, 0x10, {}, "send", {}, "libc.so.6", WIRE_LANGUAGE_NATIVE, false},
                   CulpritRules());
  other.add_symbol({thread_of(1), 102, 0, 2, 0x99, 8, "inlined", "a.go", "app", WIRE_LANGUAGE_GO, true},
                   CulpritRules());
  other.add_symbol({thread_of(1), 102, 1, 2, 0x99, 9, "caller", "a.go", "app", WIRE_LANGUAGE_GO, true},
                   CulpritRules());
  CHECK(other.intern({101, 102}, other)->id == unknown->id);
  CHECK(book.intern({}, book) == nullptr);
}

TEST_CASE("a pool's ping leaves the stack of who used the connection before") {
  Story story;
  Wire& used = story.open();
  Wire& spare = story.open();
  const auto last_user = [&](const Wire& wire) {
    const model::Stack* stack = the(story, wire).last_use_stack;
    REQUIRE(stack != nullptr);
    REQUIRE(stack->culprit_frame() != nullptr);
    return stack->culprit_frame()->function;
  };
  story.use(used, {.place = "find_order"});
  story.wait(2s);
  CHECK(last_user(used) == "find_order");
  story.use(used, {.place = kPing});
  story.use(spare, {.place = kPing});
  story.wait(2s);
  CHECK(last_user(used) == "find_order");
  CHECK(last_user(spare) == kPing);
  CHECK(model::idle_since(the(story, used)) == used.record.last_answer_ns);
  story.use(used, {.place = "cancel_order"});
  story.use(spare, {.place = "find_order"});
  story.wait(2s);
  CHECK(last_user(used) == "cancel_order");
  CHECK(last_user(spare) == "find_order");
}

TEST_CASE("a goroutine is of the connection, not of its stack: many goroutines share one stack") {
  Story story({.go = true});
  Wire& first = story.open();
  Wire& second = story.open();
  story.opened_at(second, "connect_shop");
  story.use(first, {.thread = 118, .place = "find_order"});
  story.use(second, {.thread = 119, .place = "find_order"});
  story.wait(2s);
  REQUIRE(the(story, first).last_use_stack != nullptr);
  CHECK(the(story, first).last_use_stack == the(story, second).last_use_stack);
  CHECK(the(story, first).last_use_goroutine == 118u);
  CHECK(the(story, second).last_use_goroutine == 119u);
  CHECK_FALSE(the(story, first).open_goroutine);
  CHECK(the(story, second).open_goroutine == 100u);
  // A pool's ping does not hide who used it before.
  story.use(second, {.thread = 120, .place = kPing});
  story.wait(2s);
  CHECK(the(story, second).last_use_goroutine == 119u);
  story.use(second, {.thread = 121, .place = "cancel_order"});
  story.wait(2s);
  CHECK(the(story, second).last_use_goroutine == 121u);
}

TEST_CASE("a histogram speaks of about the last 2,000") {
  model::Histogram histogram;
  CHECK_FALSE(histogram.quantile(0.99).has_value());
  for (int i = 0; i < 2500; ++i) histogram.add(1'000'000'000);
  CHECK(histogram.total() < 2000);
  CHECK(histogram.total() >= 1000);
  CHECK(histogram.seen() == 2500);
  for (int i = 0; i < 20000; ++i) histogram.add(5'000'000);
  const std::uint64_t p99 = histogram.quantile(0.99).value();
  CHECK(p99 > 5'000'000);
  CHECK(p99 <= 5'000'000 * 9 / 8);
}

TEST_CASE("a scan is wanted 100 ms after an endpoint has more connections than ever") {
  Story story;
  story.scan();
  CHECK(story.model().settle_due_ns() == 0);
  story.open();
  const std::uint64_t due = story.model().settle_due_ns();
  CHECK(due > story.now());
  CHECK(due <= story.now() + 100'000'000);
  story.wait(200ms);
  CHECK(story.model().settle_due_ns() == 0);
}

TEST_CASE("exited processes are bounded, and those without connections forgotten") {
  Story story;
  for (std::uint32_t pid = 500; pid < 3500; ++pid) {
    if (pid % 2 == 0) {
      story.use(story.open({.process = pid}), {.takes = 1us});
    } else {
      story.emit(story.now(), ProcessEvent{WIRE_FORK, thread_of(pid), thread_of(1), "x"});
    }
    story.exit(pid);
    if (pid % 100 == 0) story.wait(3s);
  }
  story.wait(10s);
  story.wait(10s);
  CHECK(story.model().processes().size() <= Model::kExitedKept + 2);
  CHECK(story.model().remembered() == 0);
}

}  // namespace connleak::test
