// SPDX-License-Identifier: Apache-2.0
// CSV, Prometheus text and HTML.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "export/csv.hpp"
#include "export/html.hpp"
#include "export/prometheus.hpp"
#include "export_sample.hpp"

using namespace connleak;

namespace {

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

// The fields of one line, read as RFC 4180 says.
std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      out.back() += line[i++];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      out.emplace_back();
    } else {
      out.back() += line[i];
    }
  }
  CHECK_FALSE(quoted);
  return out;
}

std::size_t process_series(const std::string& text) {
  const auto all = lines(text);
  return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [](const std::string& line) {
    return line[0] != '#' && line.find("{comm=") != std::string::npos;
  }));
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool clean(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || (c >= 0x20 && c != 0x7f) || c < 0; });
}

Snapshot many(unsigned processes) {
  Snapshot s = sample::base();
  for (unsigned i = 0; i < processes; ++i) {
    Process p = i == processes - 1 ? sample::leaking() : sample::healthy();
    p.pid = 100 + i;
    p.exe = "/srv/app-" + std::to_string(i);
    s.processes.push_back(p);
  }
  return s;
}

}  // namespace

TEST_CASE("CSV without findings is the header alone", "[export]") {
  const auto all = lines(to_csv(sample::base()));
  REQUIRE(all.size() == 1);
  CHECK(all[0].starts_with("time,host,pid,"));
}

TEST_CASE("CSV has one row for each finding, as wide as the header", "[export]") {
  const auto all = lines(to_csv(sample::everything()));
  REQUIRE(all.size() == 4);
  const auto head = fields(all[0]);
  for (const auto& line : all) CHECK(fields(line).size() == head.size());
  const auto at = [&](const char* name) {
    return static_cast<std::size_t>(std::find(head.begin(), head.end(), name) - head.begin());
  };
  const auto row = fields(all[3]);
  CHECK(row[at("verdict")] == "LEAK");
  CHECK(row[at("connections")] == "24");
  CHECK(row[at("culprit_line")] == "87");
  CHECK(row[at("server_filter")] == *sample::go_leak().server_filter);
  CHECK(fields(all[2])[at("rule")].empty());  // HELD has none
}

TEST_CASE("hostile names in CSV: one line, no formula, no control character", "[export]") {
  const std::string text = to_csv(sample::hostile());
  INFO(text);
  const auto all = lines(text);
  REQUIRE(all.size() == 2);
  CHECK(clean(text));
  const auto row = fields(all[1]);
  CHECK(row.size() == fields(all[0]).size());
  for (const auto& field : row) {
    if (!field.empty()) CHECK(std::string("=+-@\t\r").find(field[0]) == std::string::npos);
  }
  CHECK(has(text, "'=cmd"));
  CHECK(has(text, "\"'@SUM"));
}

TEST_CASE("every metric has HELP and TYPE, once, and every sample a metric", "[export]") {
  std::vector<std::string> help, type;
  const std::string text = to_prometheus(sample::everything());
  for (const auto& line : lines(text)) {
    std::istringstream in(line);
    std::string hash, word, name;
    in >> hash >> word >> name;
    if (hash == "#") {
      (word == "HELP" ? help : type).push_back(name);
    } else {
      INFO(line);
      CHECK(line.substr(0, line.find_first_of("{ ")) == type.back());
    }
  }
  CHECK(help == type);
  std::sort(help.begin(), help.end());
  CHECK(std::adjacent_find(help.begin(), help.end()) == help.end());
  for (const char* name :
       {"connleak_connections", "connleak_findings_connections", "connleak_oldest_connection_age_seconds",
        "connleak_oldest_idle_seconds", "connleak_connections_opened_total", "connleak_connections_closed_total",
        "connleak_connections_failed_total", "connleak_pool_connections", "connleak_pool_wait_seconds_total",
        "connleak_pool_waits_total", "connleak_retractions_total", "connleak_events_lost_total",
        "connleak_hook_missed_total", "connleak_build_info", "connleak_series_dropped"}) {
    INFO(name);
    CHECK(std::binary_search(help.begin(), help.end(), std::string(name)));
  }
  CHECK(has(text,
            "connleak_findings_connections{comm=\"go-shop\",exe=\"/srv/shop/go-shop\","
            "cgroup=\"/system.slice/shop.service\",endpoint=\"127.0.0.1:5432\",protocol=\"postgresql\","
            "verdict=\"LEAK\",rule=\"L1\",culprit=\"main.(*Shop).findOrder orders.go:87\"} 24\n"));
  const std::string shop =
      "{comm=\"go-shop\",exe=\"/srv/shop/go-shop\",cgroup=\"/system.slice/"
      "shop.service\",endpoint=\"127.0.0.1:5432\","
      "protocol=\"postgresql\"";
  CHECK(has(text, "connleak_pool_connections" + shop + ",state=\"in_use\"} 26\n"));
  CHECK(has(text, "connleak_pool_connections" + shop + ",state=\"idle\"} 1\n"));
  CHECK(has(text, "connleak_pool_waits_total" + shop + "} 17\n"));
  CHECK(has(text, "connleak_pool_wait_seconds_total" + shop + "} 4.25\n"));
  CHECK_FALSE(has(text, "connleak_pool_waits_total{comm=\"go-pool-ok\""));
  CHECK(has(text, "connleak_retractions_total{rule=\"L1\"} 2\n"));
  CHECK(has(text, "connleak_hook_missed_total{hook=\"cgroup_skb/egress\"} 4\n"));
  CHECK(has(text, "connleak_build_info{version=\"0.1.0\",kernel=\"6.12.0\"} 1\n"));
}

TEST_CASE("processes on the same labels are one series: sums, and the oldest age", "[export]") {
  Snapshot s = sample::typical();
  s.processes.push_back(s.processes[1]);
  s.processes[2].pid = 9;
  s.processes[2].groups[0].oldest_age_s = 999;
  const std::string labels =
      "comm=\"go-pool-ok\",exe=\"/srv/shop/go-pool-ok\",cgroup=\"/system.slice/pool.service\"";
  const std::string target = "endpoint=\"127.0.0.1:5432\",protocol=\"postgresql\"";
  const std::string merged = to_prometheus(s);
  CHECK(has(merged, "connleak_connections{" + labels + "," + target + ",state=\"idle\"} 20\n"));
  CHECK(has(merged, "connleak_oldest_connection_age_seconds{" + labels + "," + target + "} 999\n"));
  CHECK_FALSE(has(merged, "pid="));
  const std::string apart = to_prometheus(s, {true, 2000});
  CHECK(has(apart, "connleak_connections{" + labels + ",pid=\"9\"," + target + ",state=\"idle\"} 10\n"));
}

TEST_CASE("series over the bound are summed under other, and counted", "[export]") {
  const Snapshot s = many(100);
  const std::string all = to_prometheus(s);
  CHECK(process_series(all) == 905);  // 9 each, one finding, 4 of pools
  CHECK(has(all, "connleak_series_dropped 0\n"));

  const std::string few = to_prometheus(s, {false, 50});
  CHECK(process_series(few) <= 50);
  CHECK(has(few, "exe=\"/srv/app-99\""));  // the leak stays
  CHECK(has(few, "verdict=\"LEAK\",rule=\"L1\""));
  CHECK(has(few, "connleak_series_dropped 873\n"));
  CHECK(has(few,
            "connleak_connections{comm=\"other\",exe=\"other\",cgroup=\"other\",endpoint=\"other\","
            "protocol=\"other\",state=\"idle\"} 970\n"));

  const std::string none = to_prometheus(s, {true, 0});
  CHECK(process_series(none) <= 17);
  CHECK(has(none, "verdict=\"LEAK\",rule=\"other\",culprit=\"other\"} 24\n"));
}

TEST_CASE("hostile names in labels stay inside their quotes", "[export]") {
  const std::string text = to_prometheus(sample::hostile());
  INFO(text);
  CHECK(clean(text));
  CHECK(has(text, "exe=\"/tmp/a\\\"b,c"));
  for (const auto& line : lines(text)) {
    if (line[0] == '#') continue;
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '\\') {
        ++i;
        CHECK((line[i] == '\\' || line[i] == '"' || line[i] == 'n'));  // all that the format knows
      } else if (line[i] == '"') {
        quoted = !quoted;
      }
    }
    CHECK_FALSE(quoted);
    CHECK(line.size() < 1000);  // the 300-byte function name is cut
  }
}

TEST_CASE("the HTML page is complete, loads nothing and runs nothing", "[export]") {
  const std::string page = to_html(sample::everything());
  CHECK(page.starts_with("<!DOCTYPE html>"));
  CHECK(page.ends_with("</html>\n"));
  for (const char* part : {"<script", "<link", "src=", "href=", "url(", "@import"}) {
    INFO(part);
    CHECK_FALSE(has(page, part));
  }
  CHECK(has(page, "24 connections of go-shop"));
  CHECK(has(page, "main.(*Shop).findOrder"));
  CHECK(has(page, "Incomplete: 17 events"));
  CHECK(has(to_html(sample::base()), "No leak found."));
}

TEST_CASE("hostile names cannot leave their place in the HTML page", "[export]") {
  const std::string page = to_html(sample::hostile());
  CHECK(clean(page));
  CHECK_FALSE(has(page, "<script"));
  CHECK_FALSE(has(page, "<img"));
  CHECK_FALSE(has(page, "<b>\""));
  CHECK(has(page, "&lt;img src=x onerror=alert(1)&gt;"));
  std::size_t styles = 0;
  for (std::size_t at = page.find("</style>"); at != std::string::npos; at = page.find("</style>", at + 1))
    ++styles;
  CHECK(styles == 1);
}
