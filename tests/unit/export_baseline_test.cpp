// SPDX-License-Identifier: Apache-2.0
// --baseline: what is known, what is gone, and what is no baseline.
#include <catch2/catch_test_macros.hpp>

#include "export/baseline.hpp"
#include "export/json.hpp"
#include "export_sample.hpp"

using namespace connleak;

namespace {

Snapshot with(Finding finding, const char* comm = "go-shop") {
  Snapshot snapshot;
  Process process;
  process.comm = comm;
  process.groups.push_back(sample::group("192.0.2.1", 5432, "postgresql"));
  process.groups.back().findings.push_back(std::move(finding));
  snapshot.processes.push_back(std::move(process));
  return snapshot;
}

Finding without_stack() {
  Finding finding = sample::go_leak();
  finding.stack_id.reset();
  finding.stack.clear();
  finding.culprit.reset();
  return finding;
}

Snapshot applied(const Snapshot& then, Snapshot now) {
  const auto baseline = Baseline::parse(to_json(then));
  REQUIRE(baseline.has_value());
  baseline->apply(now);
  REQUIRE(now.baseline.has_value());
  return now;
}

const Finding& only(const Snapshot& snapshot) { return snapshot.processes.at(0).groups.at(0).findings.at(0); }

}  // namespace

TEST_CASE("a finding of the same stack is known, in another process and at another port", "[export]") {
  Snapshot now = with(sample::go_leak(), "renamed");
  now.processes[0].pid = 99;
  now.processes[0].groups[0].endpoint.port = 6543;
  now = applied(with(sample::go_leak()), now);
  CHECK(only(now).known);
  CHECK(now.baseline->known == 24);
  CHECK(now.baseline->gone.empty());
}

TEST_CASE("what --suppress hides is not gone", "[export]") {
  Snapshot now = with(sample::go_leak());
  Group& group = now.processes[0].groups[0];
  group.suppressed = std::move(group.findings);
  group.findings.clear();
  now = applied(with(sample::go_leak()), now);
  CHECK(now.baseline->known == 0);
  CHECK(now.baseline->gone.empty());
}

TEST_CASE("a finding of another stack is new, and the old one is gone", "[export]") {
  Finding other = sample::go_leak();
  other.stack_id = "0123456789abcdef";
  const Snapshot now = applied(with(sample::go_leak()), with(other));
  CHECK_FALSE(only(now).known);
  CHECK(now.baseline->known == 0);
  REQUIRE(now.baseline->gone.size() == 1);
  const BaselineFinding& gone = now.baseline->gone[0];
  CHECK(gone.verdict == "LEAK");
  CHECK(gone.rule == "L1");
  CHECK(gone.stack_id == "9f2c41d07a63be15");
  REQUIRE(gone.culprit.has_value());
  CHECK(gone.culprit->function == "main.(*Shop).findOrder");
  CHECK(gone.culprit->line == 87U);
}

TEST_CASE("a line is known when all the stacks that lead to it are", "[export]") {
  const auto through = [](std::vector<std::string> ids) {
    Finding finding = sample::go_leak();
    finding.stack_id = ids.front();
    finding.stack_ids = std::move(ids);
    return with(finding);
  };
  const Snapshot then = through({"a", "b"});
  CHECK(only(applied(then, through({"b"}))).known);
  CHECK(only(applied(then, through({"b", "a"}))).known);
  const Snapshot grown = applied(then, through({"a", "c"}));
  CHECK_FALSE(only(grown).known);
  // It did not go away, either.
  CHECK(grown.baseline->gone.empty());
  CHECK(applied(then, through({"c"})).baseline->gone.size() == 1);
  // A report of before stack_ids.
  CHECK(only(applied(with(sample::go_leak()), through({"9f2c41d07a63be15"}))).known);
}

TEST_CASE("without a stack, rule, process name and protocol decide", "[export]") {
  const Snapshot then = with(without_stack());
  CHECK(only(applied(then, with(without_stack()))).known);
  CHECK_FALSE(only(applied(then, with(without_stack(), "another"))).known);
  Finding half_closed = without_stack();
  half_closed.rule = "L7";
  CHECK_FALSE(only(applied(then, with(half_closed))).known);
  // A stack that is seen now says more than its absence then.
  CHECK_FALSE(only(applied(then, with(sample::go_leak()))).known);
}

TEST_CASE("what is gone is told of leaks and suspects only", "[export]") {
  Finding held = sample::go_leak();
  held.verdict = Verdict::held;
  held.rule.reset();
  CHECK(applied(with(held), Snapshot()).baseline->gone.empty());
  CHECK(applied(with(sample::go_leak()), Snapshot()).baseline->gone.size() == 1);
}

TEST_CASE("only a whole report is a baseline", "[export]") {
  const std::string report = to_json(with(sample::go_leak()));
  for (const std::string& text :
       {std::string(), std::string("[]"), std::string("{}"), std::string(R"({"schema": "connleak.summary/1"})"),
        std::string(R"({"schema": "connleak.report/1", "processes": [7]})"),
        report.substr(0, report.size() / 2)}) {
    const auto parsed = Baseline::parse(text);
    INFO(text.substr(0, 60));
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().kind == ErrorKind::usage);
  }
}
