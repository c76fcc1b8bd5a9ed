// SPDX-License-Identifier: Apache-2.0
// base/text.hpp: escaping, durations, times, addresses.
#include <sys/socket.h>

#include <catch2/catch_test_macros.hpp>
#include <limits>

#include "base/text.hpp"

using namespace connleak;
using namespace std::chrono_literals;
using std::chrono::nanoseconds;

TEST_CASE("escape leaves harmless text as it is", "[base]") {
  CHECK(escape("") == "");
  CHECK(escape("main.go:42 (a b)") == "main.go:42 (a b)");
  CHECK(escape("gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x98") ==
        "gr\xc3\xbc\xc3\x9f \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x90\x98");
}

TEST_CASE("escape disarms what a terminal or a log would obey", "[base]") {
  CHECK(escape("\x1b[2J") == "\\x1b[2J");
  CHECK(escape("a\nb\tc\r") == "a\\x0ab\\x09c\\x0d");
  CHECK(escape(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(escape("\x7f") == "\\x7f");
  CHECK(escape("\xc2\x9b"
               "2J") == "\\xc2\\x9b2J");  // C1: CSI
  CHECK(escape("\xe2\x80\xae"
               "txt") == "\\xe2\\x80\\xaetxt");        // right-to-left override
  CHECK(escape("\xe2\x81\xa6") == "\\xe2\\x81\\xa6");  // isolate
  CHECK(escape("\xd8\x9c") == "\\xd8\\x9c");           // Arabic letter mark
  CHECK(escape("\xe2\x80\xa8") == "\\xe2\\x80\\xa8");  // line separator
  CHECK(escape("a\\x1b") == "a\\\\x1b");               // cannot be forged
}

TEST_CASE("escape shows bytes that are no valid UTF-8", "[base]") {
  CHECK(escape("\xff") == "\\xff");
  CHECK(escape("\x80") == "\\x80");
  CHECK(escape("a\xc3") == "a\\xc3");                           // cut
  CHECK(escape("\xc3(") == "\\xc3(");                           // lead without its continuation
  CHECK(escape("\xc0\xaf") == "\\xc0\\xaf");                    // overlong
  CHECK(escape("\xe0\x80\x9b") == "\\xe0\\x80\\x9b");           // overlong, 3 bytes
  CHECK(escape("\xed\xa0\x80") == "\\xed\\xa0\\x80");           // surrogate
  CHECK(escape("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
}

TEST_CASE("durations are a number and one unit", "[base]") {
  CHECK(parse_duration("250ms") == nanoseconds(250ms));
  CHECK(parse_duration("30s") == nanoseconds(30s));
  CHECK(parse_duration("5m") == nanoseconds(5min));
  CHECK(parse_duration("2h") == nanoseconds(2h));
  CHECK(parse_duration("1.5s") == nanoseconds(1500ms));
  CHECK(parse_duration("0.5ms") == nanoseconds(500us));
  CHECK(parse_duration("0s") == nanoseconds(0));
  CHECK(parse_duration("0.000000001s") == nanoseconds(1));
  CHECK(parse_duration("1.00000000000000000000000009s") == nanoseconds(1s));
  CHECK(parse_duration("2562047h") == nanoseconds(std::chrono::hours(2562047)));
}

TEST_CASE("what is no duration is refused in one sentence", "[base]") {
  for (const char* text :
       {"",         "s",          "10",  "-1s", "+1s",   " 1s",  "1 s",  "1s ", "1.s", ".5s",
        "1..5s",    "1d",         "1us", "1S",  "1h30m", "1e3s", "0x1s", "nan", "inf", "99999999999999999999s",
        "2562048h", "9223372037s"}) {
    INFO(text);
    const auto parsed = parse_duration(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().kind == ErrorKind::usage);
    CHECK(parsed.error().message.find('\n') == std::string::npos);
  }
  CHECK(parse_duration("\x1b[2Js").error().message.find('\x1b') == std::string::npos);
}

TEST_CASE("durations are shown short, and never longer than they are", "[base]") {
  CHECK(format_duration(0ns) == "0ms");
  CHECK(format_duration(42ms) == "42ms");
  CHECK(format_duration(99999us) == "99ms");
  CHECK(format_duration(300ms) == "0.3s");
  CHECK(format_duration(9999ms) == "9.9s");
  CHECK(format_duration(12999ms) == "12s");
  CHECK(format_duration(59999ms) == "59s");
  CHECK(format_duration(4min + 5s) == "4m05s");
  CHECK(format_duration(59min + 59s + 999ms) == "59m59s");
  CHECK(format_duration(3h + 5min) == "3h05m");
  CHECK(format_duration(24h) == "1d00h");
  CHECK(format_duration(52h) == "2d04h");
  CHECK(format_duration(-3s) == "-3.0s");
  CHECK(format_duration(nanoseconds::min()) == "-106751d23h");
}

TEST_CASE("times are RFC 3339 in UTC with milliseconds", "[base]") {
  CHECK(format_rfc3339(0) == "1970-01-01T00:00:00.000Z");
  CHECK(format_rfc3339(1'769'903'999'123'999'999) == "2026-01-31T23:59:59.123Z");
  CHECK(format_rfc3339(1'709'164'800'000'000'000) == "2024-02-29T00:00:00.000Z");
  CHECK(format_rfc3339(-1) == "1969-12-31T23:59:59.999Z");
  CHECK(format_rfc3339(std::numeric_limits<std::int64_t>::max()) == "2262-04-11T23:47:16.854Z");
}

TEST_CASE("addresses read as people write them", "[base]") {
  const std::uint8_t v4[16] = {192, 0, 2, 1};
  const std::uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  CHECK(format_address(AF_INET, v4) == "192.0.2.1");
  CHECK(format_address(AF_INET6, v6) == "2001:db8::1");
  CHECK(format_address(AF_UNIX, v4) == "unknown");
}
