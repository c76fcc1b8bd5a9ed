// SPDX-License-Identifier: Apache-2.0
// The JSON report and the one-line summary.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "export/json.hpp"
#include "export/utf8.hpp"
#include "export_sample.hpp"

using namespace connleak;
using nlohmann::ordered_json;

namespace {

std::vector<std::string> keys(const ordered_json& object) {
  std::vector<std::string> out;
  for (const auto& item : object.items()) out.push_back(item.key());
  return out;
}

}  // namespace

TEST_CASE("the JSON report has the contract's keys in the contract's order", "[export]") {
  const auto report = ordered_json::parse(to_json(sample::typical()));
  CHECK(keys(report) == std::vector<std::string>{"schema", "tool", "host", "window", "loss", "summary",
                                                 "retractions", "baseline", "processes"});
  CHECK(report["schema"] == "connleak.report/1");
  const auto& group = report["processes"][0]["groups"][0];
  CHECK(keys(group) ==
        std::vector<std::string>{
            "endpoint",     "protocol",     "tls",          "user",           "database",        "driver",
            "open",         "in_use",       "idle",         "in_transaction", "half_closed",     "opened_total",
            "closed_total", "failed_total", "oldest_age_s", "oldest_idle_s",  "growth_per_hour", "exhausted_in_s",
            "pools",        "findings",     "not_flagged"});
  const auto& finding = group["findings"][0];
  CHECK(keys(finding) == std::vector<std::string>{"verdict",      "rule",           "name",    "confidence",
                                                  "complete",     "connections",    "epochs",  "oldest_age_s",
                                                  "flagged_at",   "culprit",        "callers", "stack_kind",
                                                  "stack_id",     "stack_ids",      "stack",   "why",
                                                  "also",         "closed_at_exit", "known",   "members",
                                                  "server_filter"});
  CHECK(finding["verdict"] == "LEAK");
  CHECK(finding["culprit"]["function"] == "main.(*Shop).findOrder");
  CHECK(finding["culprit"]["line"] == 87);
  CHECK(finding["members"].size() == 24);
  CHECK(finding["members"][1]["opened_at"] == "2026-01-31T22:53:50.000Z");
  CHECK(report["window"]["seconds"] == 760.25);
}

TEST_CASE("the same Snapshot gives the same bytes", "[export]") {
  CHECK(to_json(sample::everything()) == to_json(sample::everything()));
}

TEST_CASE("what is not known is null in JSON, never 0 or empty", "[export]") {
  const auto report = ordered_json::parse(to_json(sample::everything()));
  const auto& process = report["processes"][0];
  for (const char* key : {"start_time", "exe", "cgroup", "container_id", "uid"}) {
    INFO(key);
    CHECK(process[key].is_null());
  }
  const auto& group = process["groups"][0];
  CHECK(group["endpoint"]["path"].is_null());
  CHECK(group["oldest_age_s"].is_null());
  CHECK(group["exhausted_in_s"].is_null());
  const auto& held = group["findings"][1];
  CHECK(held["rule"].is_null());
  CHECK(held["culprit"].is_null());
  CHECK(held["stack"][0]["function"].is_null());
  CHECK(held["stack"][0]["address"] == "0x1f30");
  const auto& member = group["findings"][0]["members"][0];
  CHECK(member["fd"].is_null());
  CHECK(member["opened_at"].is_null());
  CHECK(member["transaction"].is_null());
  CHECK(member["goroutine"].is_null());
  CHECK(process["open_at_exit"][1]["culprit"].is_null());
}

TEST_CASE("a number that is none is unknown in JSON", "[export]") {
  Snapshot s = sample::typical();
  s.processes[0].groups[0].oldest_age_s = std::nan("");
  s.processes[0].groups[0].exhausted_in_s = INFINITY;
  const auto report = ordered_json::parse(to_json(s));
  CHECK(report["processes"][0]["groups"][0]["oldest_age_s"].is_null());
  CHECK(report["processes"][0]["groups"][0]["exhausted_in_s"].is_null());
}

TEST_CASE("hostile names in JSON: parseable, ASCII without control characters, text kept", "[export]") {
  for (const std::string& text : {to_json(sample::hostile()), to_json_line(sample::hostile())}) {
    CHECK(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7f); }));
  }
  const auto report = ordered_json::parse(to_json(sample::hostile()));
  const auto& process = report["processes"][0];
  CHECK(process["comm"] == "=cmd|'/c'!A0\n\x1b[2Jx");      // valid text passes exactly
  CHECK(process["cgroup"] == "/bad\\xff\\xfe\\xc0\\x80");  // bytes that are no text are spelt out
}

TEST_CASE("the summary is one line with the counts and culprits", "[export]") {
  const std::string line = to_json_line(sample::everything());
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  CHECK(line.back() == '\n');
  const auto json = ordered_json::parse(line);
  CHECK(json["schema"] == "connleak.summary/1");
  CHECK(json["complete"] == false);
  CHECK(json["summary"]["leak"] == 24);
  CHECK(json["groups"].size() == 3);
  CHECK(json["groups"][1]["endpoint"] == "127.0.0.1:5432");
  CHECK(json["groups"][1]["findings"][0]["culprit"] == "main.(*Shop).findOrder orders.go:87");
  CHECK(json["groups"][0]["findings"][1]["culprit"].is_null());
}

TEST_CASE("UTF-8 is told from what only looks like it", "[export]") {
  CHECK(valid_utf8("plain"));
  CHECK(valid_utf8("\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x98"));
  CHECK_FALSE(valid_utf8("\xff"));
  CHECK_FALSE(valid_utf8("\xc0\x80"));          // overlong
  CHECK_FALSE(valid_utf8("\xe0\x80\x80"));      // overlong
  CHECK_FALSE(valid_utf8("\xed\xa0\x80"));      // surrogate
  CHECK_FALSE(valid_utf8("\xf4\x90\x80\x80"));  // above U+10FFFF
  CHECK_FALSE(valid_utf8("\xe2\x82"));          // cut
}
