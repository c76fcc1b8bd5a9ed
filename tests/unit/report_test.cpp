// SPDX-License-Identifier: Apache-2.0
// Scope, suppressions, and the way from events to a Snapshot.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

#include "report/builder.hpp"
#include "report/convert.hpp"
#include "report/scope_filter.hpp"
#include "report/suppressions.hpp"
#include "story.hpp"

namespace connleak::test {
namespace {

Finding finding_in(const std::string& function, const std::string& module) {
  Finding finding;
  finding.culprit = Frame{};
  finding.culprit->function = function;
  finding.culprit->module = module;
  return finding;
}

const Endpoint kEndpoint{"inet", "192.0.2.1", 5432, std::nullopt};

Preamble preamble() {
  Preamble out;
  out.boot_to_unix_ns = 1'700'000'000'000'000'000;
  out.attached_late = false;
  return out;
}

// A request served by one connection ten times a second; each tenth loses another connection.
void leak(Story& story, int connections) {
  Wire& pooled = story.open();
  for (int request = 0; request < connections * 10; ++request) {
    story.use(pooled);
    story.wait(50ms);
    if (request % 10 == 9) story.use(story.open(), {0, "find_order", 2ms, false});
  }
  story.wait(1s);
  story.finish();
}

Event opened_by(const char* comm, std::uint32_t tgid, std::uint16_t port, std::uint64_t cookie) {
  Event event{1, 0, connection(WIRE_OPENED, cookie, 1)};
  auto& record = std::get<ConnectionEvent>(event.body).connection;
  put_text(record.comm, comm);
  record.opener = thread_of(tgid);
  record.remote_port = port;
  return event;
}

}  // namespace

TEST_CASE("a suppression hides by function, module or endpoint, and nothing else") {
  const Suppressions by_function = Suppressions::parse("# wanted\n  cache_* \n\n");
  CHECK(by_function.hides(finding_in("cache_warm", "app"), kEndpoint));
  CHECK_FALSE(by_function.hides(finding_in("find_order", "app"), kEndpoint));
  CHECK(Suppressions::parse("libcache.so*").hides(finding_in("f", "libcache.so.1"), kEndpoint));
  CHECK(Suppressions::parse("192.0.2.1:5432").hides(finding_in("f", "app"), kEndpoint));
  CHECK_FALSE(Suppressions::parse("192.0.2.1:5433").hides(finding_in("f", "app"), kEndpoint));
  CHECK(Suppressions::parse("# only a comment\n").empty());
}

namespace {

// One pooled connection that serves, and others that are lost one by one from `places` in turn.
Snapshot lost_at(const std::vector<std::string>& places, const CulpritRules& rules = {}) {
  StoryOptions options;
  options.culprit_rules = rules;
  Story story(options);
  Wire& pooled = story.open();
  for (std::size_t i = 0; i < 24; ++i) {
    for (int request = 0; request < 10; ++request) {
      story.use(pooled);
      story.wait(50ms);
    }
    story.use(story.open(), {0, places[i % places.size()], 2ms, false});
  }
  story.wait(1s);
  story.finish();
  const Preamble head = preamble();
  const Suppressions none;
  return build_snapshot(story.model(), story.detector(), {head, "0", story.now(), false, none});
}

const std::vector<Finding>& findings(const Snapshot& snapshot) {
  REQUIRE(snapshot.processes.size() == 1);
  REQUIRE(snapshot.processes[0].groups.size() == 1);
  return snapshot.processes[0].groups[0].findings;
}

}  // namespace

TEST_CASE("a culprit that everything goes through is shown with its callers") {
  const Snapshot snapshot = lost_at({"query<find_order", "query<find_order", "query<cancel_order"});
  REQUIRE(findings(snapshot).size() == 1);
  const Finding& finding = findings(snapshot)[0];
  CHECK(finding.connections == 24);
  CHECK(snapshot.summary.leak == 24);
  REQUIRE(finding.culprit.has_value());
  CHECK(finding.culprit->function == "query");
  CHECK(finding.stack_ids.size() == 2);
  CHECK(finding.stack_ids[0] == finding.stack_id);
  REQUIRE(finding.callers.size() == 2);
  CHECK(finding.callers[0].frame.function == "find_order");
  CHECK(finding.callers[0].connections == 16);
  CHECK(finding.callers[1].frame.function == "cancel_order");
  CHECK(finding.callers[1].connections == 8);
}

TEST_CASE("a culprit with one caller, or that calls itself, is shown alone") {
  CHECK(findings(lost_at({"query<find_order"}))[0].callers.empty());
  CHECK(findings(lost_at({"find_order"}))[0].callers.empty());
  CHECK(findings(lost_at({"query<query<find_order", "query<find_order"}))[0].callers.empty());
}

TEST_CASE("a place among others that leak is shown without callers") {
  const Snapshot snapshot =
      lost_at({"query<find_order", "query<cancel_order", "export", "import", "import", "export"});
  REQUIRE(findings(snapshot).size() == 3);
  for (const Finding& finding : findings(snapshot)) CHECK(finding.callers.empty());
}

TEST_CASE("a helper that the user named is not blamed, its callers are") {
  CulpritRules rules;
  REQUIRE(rules.add(CulpritRules::Role::helper, "query").has_value());
  const Snapshot snapshot = lost_at({"query<find_order", "query<cancel_order"}, rules);
  REQUIRE(findings(snapshot).size() == 2);
  CHECK(snapshot.summary.leak == 24);
  for (const Finding& finding : findings(snapshot)) {
    REQUIRE(finding.culprit.has_value());
    CHECK(finding.culprit->function != "query");
    CHECK(finding.connections == 12);
    CHECK(finding.callers.empty());
  }
}

TEST_CASE("members of a Go program have the goroutine of the stack that is blamed") {
  // Some are opened in goroutine 120 and used in 121; the others show who opened them alone.
  const bool is_used = GENERATE(true, false);
  Story story({.go = true});
  Wire& pooled = story.open();
  for (int i = 0; i < 24; ++i) {
    for (int request = 0; request < 10; ++request) story.use(pooled), story.wait(50ms);
    Wire& lost = story.open({.thread = 120});
    story.opened_at(lost, "make_client");
    if (is_used) story.use(lost, {.thread = 121, .place = "find_order"});
  }
  story.wait(1s);
  story.finish();
  const Suppressions none;
  const auto snapshot =
      build_snapshot(story.model(), story.detector(), {preamble(), "0", story.now(), false, none});
  REQUIRE(findings(snapshot).size() == 1);
  CHECK(findings(snapshot)[0].stack_kind == (is_used ? StackKind::last_use : StackKind::open));
  for (const Member& member : findings(snapshot)[0].members)
    CHECK(member.goroutine == std::optional<std::uint64_t>(is_used ? 121 : 120));
}

TEST_CASE("a suppressed finding is counted and leaves a trace") {
  Story story;
  leak(story, 12);
  const Preamble head = preamble();
  const Suppressions none;
  const Suppressions known = Suppressions::parse("find_order");
  const Snapshot shown = build_snapshot(story.model(), story.detector(), {head, "0", story.now(), false, none});
  CHECK(shown.summary.leak == 12);
  CHECK(shown.suppressed == 0);
  const Snapshot hidden = build_snapshot(story.model(), story.detector(), {head, "0", story.now(), false, known});
  CHECK(hidden.summary.leak == 0);
  CHECK(hidden.suppressed == 12);
  REQUIRE(hidden.processes.size() == 1);
  CHECK(hidden.processes[0].groups[0].findings.empty());
  bool told = false;
  for (const NotFlagged& line : hidden.processes[0].groups[0].not_flagged)
    told = told || (line.connections == 12 && line.reason.find("suppressed") != std::string::npos);
  CHECK(told);
}

TEST_CASE("a group's states add up to what is open, and totals to what happened") {
  Story story;
  Wire& idle = story.open();
  story.use(idle);
  Wire& busy = story.open();
  story.begin(busy);
  Wire& transaction = story.open();
  story.use(transaction, {0, "f", 2ms, true});
  Wire& half = story.open();
  story.use(half);
  story.peer_close(half);
  Wire& closed = story.open();
  story.use(closed);
  story.close(closed);
  story.finish();
  const Preamble head = preamble();
  const Suppressions none;
  const Snapshot snapshot = build_snapshot(story.model(), story.detector(), {head, "0", story.now(), false, none});
  REQUIRE(snapshot.processes.size() == 1);
  REQUIRE(snapshot.processes[0].groups.size() == 1);
  const Group& group = snapshot.processes[0].groups[0];
  CHECK(group.in_use == 1);
  CHECK(group.idle == 1);
  CHECK(group.in_transaction == 1);
  CHECK(group.half_closed == 1);
  CHECK(group.open == group.in_use + group.idle + group.in_transaction + group.half_closed);
  CHECK(group.opened_total == 5);
  CHECK(group.closed_total == 1);
  CHECK(snapshot.summary.connections_open == 4);
}

TEST_CASE("a scope is AND across kinds and OR within one") {
  ScopeOptions options;
  options.comms = {"shop", "cart"};
  options.ports = {5432};
  ScopeFilter filter(options, false);
  CHECK(filter.admits(opened_by("shop", 10, 5432, 1)));
  CHECK(filter.admits(opened_by("cart", 11, 5432, 2)));
  CHECK_FALSE(filter.admits(opened_by("shop", 10, 6379, 3)));
  CHECK_FALSE(filter.admits(opened_by("other", 12, 5432, 4)));
  // What belongs to a connection goes the way of the connection.
  CHECK_FALSE(filter.admits(Event{2, 0, HolderEvent{4, 1, thread_of(12), 7, "other"}}));
  CHECK(filter.admits(Event{2, 0, HolderEvent{1, 1, thread_of(10), 7, "shop"}}));
}

TEST_CASE("--pid of a recording takes the descendants in, and nobody else") {
  ScopeOptions options;
  options.pids = {10};
  ScopeFilter filter(options, true);
  CHECK(filter.admits(Event{1, 0, ProcessEvent{WIRE_FORK, thread_of(11), thread_of(10), "child"}}));
  CHECK(filter.admits(opened_by("child", 11, 5432, 1)));
  CHECK_FALSE(filter.admits(opened_by("other", 12, 5432, 2)));
}

TEST_CASE("no scope lets everything through") {
  const ScopeOptions options;
  ScopeFilter filter(options, true);
  CHECK(filter.admits(opened_by("any", 1, 1, 1)));
}

TEST_CASE("a container is told by its cgroup, a service is none") {
  const std::string digits(64, 'a');
  CHECK(container_id("/system.slice/docker-" + digits + ".scope") == "aaaaaaaaaaaa");
  CHECK(container_id("/kubepods/pod1/" + digits) == "aaaaaaaaaaaa");
  CHECK_FALSE(container_id("/system.slice/shop.service"));
}

}  // namespace connleak::test
