// SPDX-License-Identifier: Apache-2.0
// The screens that people read, held to golden files. Write them anew with CONNLEAK_UPDATE_GOLDEN=1.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "export_sample.hpp"
#include "views/explain.hpp"
#include "views/layout.hpp"
#include "views/terminal.hpp"
#include "views/text_report.hpp"
#include "views/top_table.hpp"

using namespace connleak;

namespace {

void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(CONNLEAK_GOLDEN_DIR) + "/" + name;
  if (std::getenv("CONNLEAK_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << text;
    SUCCEED("wrote " << path);
    return;
  }
  std::ifstream in(path);
  REQUIRE(in);
  const std::string golden{std::istreambuf_iterator<char>(in), {}};
  INFO("golden file " << path << "; now:\n" << text);
  CHECK((text == golden));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

bool clean(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\n' || (c >= 0x20 && c != 0x7f) || c < 0; });
}

Explanation explanation() {
  Explanation e;
  e.heading = "go-shop (pid 4711), started 2026-01-31T22:52:20.000Z";
  e.facts = {{"executable", "/srv/shop/go-shop"}, {"connections", "26 open, 1 in use, 25 idle"}};
  e.connections = {
      {"fd 9  127.0.0.1:50400 to 127.0.0.1:5432  app@shop  (postgresql)",
       {{"age", "12m30s (exact)"}, {"idle", "12m29s"}, {"requests", "1"}, {"last use", "main.findOrder"}},
       {{"22:53:20.000", "opened by thread 4713"},
        {"22:53:20.002", "established"},
        {"22:53:20.500",
         "last request, answered after 1.2ms; the client's turn ever since, which is "
         "what a connection looks like that nobody remembers"}}}};
  e.rules = {{"L1", "never-closed", "127.0.0.1:5432 app@shop", true, {"S rose at 22 of 22 marks and gained 22"}},
             {"L7", "half-closed", "", false, {"the server closed none of them"}},
             {"L2", "never-returned", "", std::nullopt, {"no pool probe is attached"}}};
  return e;
}

}  // namespace

TEST_CASE("the report reads as its golden screens", "[views][golden]") {
  check_golden("report_typical_80.txt", render_report(sample::typical(), {false, 80}));
  check_golden("report_typical_120.txt", render_report(sample::typical(), {false, 120}));
  check_golden("report_everything_80.txt", render_report(sample::everything(), {false, 80}));
  check_golden("report_everything_120.txt", render_report(sample::everything(), {false, 120}));
  check_golden("report_colour_100.txt", render_report(sample::typical(), {true, 100}));
}

TEST_CASE("top reads as its golden screens", "[views][golden]") {
  check_golden("top_80.txt", joined(render_top(sample::everything(), {false, 80, 24})));
  check_golden("top_120.txt", joined(render_top(sample::everything(), {false, 120, 24})));
}

TEST_CASE("explain reads as its golden screen", "[views][golden]") {
  check_golden("explain_80.txt", render_explain(explanation(), {false, 80}));
}

TEST_CASE("a report without findings says so, and what was watched", "[views]") {
  Snapshot s = sample::typical();
  s.processes.erase(s.processes.begin());
  s.summary = {1, 10, 0, 0, 0, 0, 0};
  const std::string text = render_report(s);
  INFO(text);
  CHECK(has(text, "\n\nNo leak found.\nWatched 1 process for 12m40s: 10 connections opened"));
  CHECK(has(text, "Not flagged\n  go-pool-ok (pid 4720)"));
  CHECK_FALSE(has(text, "WARNING"));
  CHECK(has(render_report(sample::base()), "No database connection was seen."));
}

TEST_CASE("losses, late attach, retractions and suppressions are said", "[views]") {
  const std::string text = render_report(sample::everything(), {false, 200});
  INFO(text);
  CHECK(has(text, "WARNING: incomplete. 17 events were lost"));
  CHECK(has(text, "INCOMPLETE: events were lost in its time"));
  CHECK(has(text, "Attached late"));
  CHECK(has(text, "Retracted: 3 connections (L1 2, L7 1)"));
  CHECK(has(text, "Suppressed: 6 connections"));
  CHECK(has(text, "oldest at least 1m35s"));
}

TEST_CASE("library frames fold, those of the application and the one that they called stay", "[views]") {
  const std::string text = render_report(sample::typical());
  CHECK(has(text, "> main.(*Shop).handleOrder"));
  CHECK(has(text, "database/sql.(*DB).QueryContext"));
  CHECK(has(text, "... 3 library frames"));
  CHECK_FALSE(has(text, "runtime.goexit"));
}

TEST_CASE("lines fit the width, but for what gets pasted", "[views]") {
  for (const int width : {60, 80, 120}) {
    for (const auto& line : split(render_report(sample::everything(), {false, width}))) {
      INFO(line);
      CHECK((display_width(line) <= static_cast<std::size_t>(width) || has(line, "on the server:")));
    }
    for (const auto& line : render_top(sample::everything(), {false, width, 24})) {
      INFO(line);
      CHECK(display_width(line) <= static_cast<std::size_t>(width));
    }
  }
}

TEST_CASE("hostile names drive no terminal and break no line", "[views]") {
  Explanation e = explanation();
  e.heading = e.facts[0].value = e.connections[0].title = e.connections[0].timeline[0].what = e.rules[0].subject =
      e.rules[0].reasons[0] = "x\x1b[2J\n\xff\xe2\x80\xae";
  const std::string text = render_report(sample::hostile());
  for (const auto& out : {text, joined(render_top(sample::hostile())), render_explain(e)}) {
    INFO(out);
    CHECK(clean(out));
    CHECK_FALSE(has(out, "\xe2\x80\xae"));
  }
  CHECK(has(text, "=cmd|'/c'!A0\\x0a\\x1b[2Jx"));
}

TEST_CASE("top sorts by leak, then suspect, then open", "[views]") {
  const auto rows = top_rows(sample::everything());
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].comm == "go-shop");
  CHECK(rows[0].culprit == "main.(*Shop).findOrder orders.go:87");
  CHECK(rows[1].comm == "worker");
  CHECK(rows[2].comm == "go-pool-ok");
  CHECK(rows[2].culprit.empty());
}

TEST_CASE("top fits the height and says how many rows it left out", "[views]") {
  Snapshot s = sample::base();
  for (unsigned i = 0; i < 50; ++i) {
    s.processes.push_back(sample::healthy());
    s.processes.back().pid = i + 1;
  }
  const auto lines = render_top(s, {false, 80, 10});
  CHECK(lines.size() == 10);
  CHECK(lines.back() == "... 45 more rows");
  CHECK(render_top(s, {false, 80, 54}).size() == 54);
  CHECK_FALSE(has(render_top(s, {false, 80, 54}).back(), "more"));
}

TEST_CASE("without a terminal each draw appends, without escape sequences", "[views]") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  {
    Terminal terminal(ends[1]);
    CHECK_FALSE(terminal.interactive());
    CHECK(terminal.size().width == 80);
    CHECK(terminal.draw({"a", "b"}));
    CHECK(terminal.draw({"c"}));
  }
  ::close(ends[1]);
  char buffer[64] = {};
  const auto n = ::read(ends[0], buffer, sizeof buffer);
  ::close(ends[0]);
  CHECK(std::string(buffer, static_cast<std::size_t>(n)) == "a\nb\n\nc\n\n");
}

TEST_CASE("on a terminal the screen is taken at the first draw and given back at the end", "[views]") {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0) SKIP("no pseudo terminal here");
  const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  if (slave < 0) SKIP("no pseudo terminal here");
  {
    Terminal terminal(slave);
    CHECK(terminal.interactive());
    CHECK(terminal.size().width == 80);  // a fresh one has no size
    CHECK(terminal.draw({"a", "b"}));
  }
  // A read gives what has come through so far, which may be the first half.
  std::string seen;
  pollfd ready{master, POLLIN, 0};
  while (!seen.ends_with("1049l") && ::poll(&ready, 1, 10'000) > 0) {
    char buffer[256] = {};
    const auto n = ::read(master, buffer, sizeof buffer);
    if (n <= 0) break;
    seen.append(buffer, static_cast<std::size_t>(n));
  }
  std::erase(seen, '\r');  // how many depends on the line discipline
  CHECK(seen == "\x1b[?1049h\x1b[?25l\x1b[Ha\x1b[K\nb\x1b[K\x1b[J\x1b[0m\x1b[?25h\x1b[?1049l");
  ::close(slave);
  ::close(master);
}

TEST_CASE("a reader that has gone is an error, not a crash", "[views]") {
  const int fd = ::open("/dev/full", O_WRONLY);
  REQUIRE(fd >= 0);
  Terminal terminal(fd);
  const auto drawn = terminal.draw({"a"});
  REQUIRE_FALSE(drawn);
  CHECK(has(drawn.error().message, "cannot write to the terminal"));
  ::close(fd);
}
