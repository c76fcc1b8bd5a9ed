// SPDX-License-Identifier: Apache-2.0
// argv and configuration files become options or one sentence.
#include <catch2/catch_test_macros.hpp>
#include <sstream>

#include "app/command_line.hpp"
#include "temporary_directory.hpp"

namespace connleak::test {
namespace {

Result<std::variant<Options, Printed>> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "connleak");
  return parse_command_line(words);
}

Options options(std::vector<const char*> words) {
  auto parsed = parse(std::move(words));
  REQUIRE(parsed.has_value());
  REQUIRE(std::holds_alternative<Options>(*parsed));
  return std::get<Options>(*parsed);
}

std::string refused(std::vector<const char*> words) {
  auto parsed = parse(std::move(words));
  REQUIRE_FALSE(parsed.has_value());
  CHECK(parsed.error().kind == ErrorKind::usage);
  CHECK(parsed.error().message.find('\n') == std::string::npos);
  return parsed.error().message;
}

}  // namespace

TEST_CASE("defaults differ between run and the others as the contract says") {
  using namespace std::chrono_literals;
  const Options report = options({"report"});
  CHECK(report.idle_after == 30s);
  CHECK(report.hold_after == 60s);
  CHECK(report.duration == 30s);
  CHECK(report.fail_on == FailOn::never);
  const Options run = options({"run", "--", "true"});
  CHECK(run.idle_after == 1s);
  CHECK(run.hold_after == 5s);
  CHECK_FALSE(run.duration);
  CHECK(run.fail_on == FailOn::leak);
  CHECK(options({"export", "--output", "-"}).interval == 60s);
}

TEST_CASE("run leaves everything from the command on to the command") {
  CHECK(options({"run", "--all", "./program", "--pid", "x"}).argv ==
        std::vector<std::string>{"./program", "--pid", "x"});
  CHECK(options({"run", "--idle-after", "1s", "--", "-x"}).argv == std::vector<std::string>{"-x"});
  CHECK(options({"run", "--format=json", "a", "--", "b"}).argv == std::vector<std::string>{"a", "--", "b"});
  CHECK(refused({"run"}).find("command") != std::string::npos);
}

TEST_CASE("scopes repeat") {
  const Options parsed = options({"report", "--pid", "3", "--pid=4", "--endpoint", "[2001:db8::1]:5432",
                                  "--endpoint", "192.0.2.1", "--port", "5432"});
  CHECK(parsed.scope.pids == std::vector<std::uint32_t>{3, 4});
  REQUIRE(parsed.scope.endpoints.size() == 2);
  CHECK(parsed.scope.endpoints[0].host == "2001:db8::1");
  CHECK(parsed.scope.endpoints[0].port == 5432);
  CHECK_FALSE(parsed.scope.endpoints[1].port);
}

TEST_CASE("probes are all, none, or those that are named") {
  using Names = std::vector<std::string>;
  CHECK_FALSE(options({"report"}).probes);
  CHECK_FALSE(options({"report", "--probes", "auto"}).probes);
  CHECK(options({"report", "--probes", "off"}).probes == Names{});
  CHECK(options({"record", "--output", "f", "--probes", "libpq,database/sql"}).probes ==
        Names{"libpq", "database/sql"});
  for (const char* bad : {"libpg", "libpq,", "", "off,libpq"}) {
    CAPTURE(bad);
    CHECK(refused({"report", "--probes", bad}).find("pgxpool") != std::string::npos);
  }
}

TEST_CASE("what cannot be used is refused in one sentence") {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{},
                                             {"bogus"},
                                             {"--bogus"},
                                             {"report", "--bogus"},
                                             {"report", "extra"},
                                             {"report", "--pid"},
                                             {"report", "--pid", "0"},
                                             {"report", "--pid", "x"},
                                             {"report", "--format", "xml"},
                                             {"report", "--duration", "-1s"},
                                             {"report", "--duration", "5"},
                                             {"report", "--endpoint", "[::1"},
                                             {"report", "--endpoint", "host:99999"},
                                             {"report", "--leak-exit-code", "0"},
                                             {"record"},
                                             {"export"},
                                             {"explain"},
                                             {"explain", "x"},
                                             {"explain", "1:x"},
                                             {"top", "--interval", "1ms"},
                                             {"report", "--library"},
                                             {"report", "--library", ""},
                                             {"report", "--helper", "*"},
                                             {"report", "--helper", "function:"},
                                             {"report", "--application", "path:/srv/shop"}})
    refused(words);
}

TEST_CASE("help and version are text, after a command too, in 80 columns") {
  for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{{"--help"},
                                                                                     {"-h"},
                                                                                     {"--version"},
                                                                                     {"report", "--help"},
                                                                                     {"run", "--help"},
                                                                                     {"export", "--help"},
                                                                                     {"record", "--help"},
                                                                                     {"top", "--help"},
                                                                                     {"explain", "--help"}}) {
    const auto parsed = parse(words);
    REQUIRE(parsed.has_value());
    REQUIRE(std::holds_alternative<Printed>(*parsed));
    std::istringstream text(std::get<Printed>(*parsed).text);
    for (std::string line; std::getline(text, line);) {
      CAPTURE(line);
      CHECK(line.size() <= 80);
    }
  }
}

TEST_CASE("a configuration file gives what the command line does not") {
  using namespace std::chrono_literals;
  const TemporaryDirectory directory;
  const std::string path = directory.file("connleak.toml");
  put_content(path, "idle-after = \"2s\"\nall = true\npid = [5, 6]\ntextfile = \"other.prom\"\n");
  const Options parsed = options({"report", "--config", path.c_str(), "--pid", "7"});
  CHECK(parsed.idle_after == 2s);
  CHECK(parsed.all);
  CHECK(parsed.scope.pids == std::vector<std::uint32_t>{7});
  CHECK(options({"report", "--config", path.c_str(), "--idle-after", "3s"}).idle_after == 3s);
}

TEST_CASE("patterns for the culprit come from the command line or the file, and a bad one is named") {
  const auto application = [](const Options& parsed, const char* function) {
    model::StackFrame frame;
    frame.function = function;
    parsed.culprit_rules.apply(frame);
    return std::pair(frame.application, frame.helper);
  };
  const Options parsed = options({"report", "--application", "acme.*", "--helper=function:acme.db.*", "--helper",
                                  "module:shop", "--library", "acme.orm.*"});
  CHECK(application(parsed, "acme.orders.find") == std::pair(true, false));
  CHECK(application(parsed, "acme.db.query") == std::pair(true, true));
  CHECK(application(parsed, "other") == std::pair(false, false));

  const TemporaryDirectory directory;
  const std::string path = directory.file("connleak.toml");
  put_content(path, "application = [\"acme.*\", \"std::shop\"]\nhelper = [\"acme.db.*\"]\n");
  for (const char* command : {"report", "top", "explain", "export"}) {
    std::vector<const char*> words = {command, "--config", path.c_str()};
    if (command == std::string("explain")) words.push_back("1");
    if (command == std::string("export")) words.insert(words.end(), {"--output", "-"});
    const Options from_file = options(words);
    CHECK(application(from_file, "acme.db.query") == std::pair(true, true));
    CHECK(application(from_file, "std::shop") == std::pair(true, false));
  }
  // One file serves all commands.
  CHECK(options({"record", "--config", path.c_str(), "--output", "-"}).command == Command::record);
  CHECK(refused({"report", "--helper", "path:/srv/shop"}).find("'path:'") != std::string::npos);
  CHECK(refused({"report", "--library", "*"}).starts_with("--library: "));
}

TEST_CASE("a configuration file with an unknown key is refused and named") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("connleak.toml");
  put_content(path, "idle = \"2s\"\n");
  CHECK(refused({"report", "--config", path.c_str()}).find("connleak.toml") != std::string::npos);
  put_content(path, "[report]\nidle-after = \"2s\"\n");
  CHECK(refused({"report", "--config", path.c_str()}).find("connleak.toml") != std::string::npos);
  CHECK(refused({"report", "--config", "/nonexistent/x.toml"}).find("x.toml") != std::string::npos);
}

}  // namespace connleak::test
