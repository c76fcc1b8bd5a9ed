// SPDX-License-Identifier: Apache-2.0
// Columns by terminal cells.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "views/layout.hpp"

using namespace connleak;

TEST_CASE("width is counted in cells, not bytes", "[views]") {
  CHECK(display_width("abc") == 3);
  CHECK(display_width("\xc3\xa9") == 1);
  CHECK(display_width("e\xcc\x81") == 1);         // a combining accent
  CHECK(display_width("\xe6\x97\xa5") == 2);      // a wide character
  CHECK(display_width("\xf0\x9f\x90\x98") == 2);  // an elephant
}

TEST_CASE("cutting keeps characters whole and says that it cut", "[views]") {
  CHECK(cut("abcdef", 6) == "abcdef");
  CHECK(cut("abcdefg", 6) == "abc...");
  CHECK(cut("abcdefg", 2) == "ab");
  CHECK(cut_left("/srv/shop/orders.go:87", 15) == "...orders.go:87");
  CHECK(cut("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 6) ==
        "\xe6\x97\xa5...");  // 5 cells: 2 do not split
  CHECK(pad("\xe6\x97\xa5", 4) == "\xe6\x97\xa5  ");
  CHECK(pad("\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5\xe6\x97\xa5", 6).size() == 3 + 3 + 1);
  CHECK(pad_left("7", 3) == "  7");
  CHECK(cut("abc", 0).empty());
}

TEST_CASE("wrapping breaks at spaces and never splits a word", "[views]") {
  CHECK(wrap("one two three", 7) == std::vector<std::string>{"one two", "three"});
  CHECK(wrap("a verylongword b", 5) == std::vector<std::string>{"a", "verylongword", "b"});
  CHECK(wrap("one  two", 20) == std::vector<std::string>{"one  two"});
  CHECK(wrap("", 5) == std::vector<std::string>{""});
  CHECK(wrap("end ", 5) == std::vector<std::string>{"end"});
}

TEST_CASE("colour is there only when asked for", "[views]") {
  CHECK(Paint(false)(Tone::red, "x") == "x");
  CHECK(Paint(true)(Tone::red, "x") == "\x1b[1;31mx\x1b[0m");
  CHECK(Paint(true)(Tone::plain, "x") == "x");
}

TEST_CASE("durations that are none are a question mark", "[views]") {
  CHECK(duration_text(std::nullopt) == "?");
  CHECK(duration_text(std::nan("")) == "?");
  CHECK(duration_text(250) == "4m10s");
  CHECK_FALSE(duration_text(-5).starts_with("-"));
}
