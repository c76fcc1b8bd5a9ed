// SPDX-License-Identifier: Apache-2.0
// Python's line tables, and names of frames, from bytes.
#include <catch2/catch_test_macros.hpp>
#include <initializer_list>
#include <random>
#include <vector>

#include "interpreters/python_layout.hpp"
#include "interpreters/python_lines.hpp"
#include "interpreters/script_text.hpp"
#include "symbols/script_frame.hpp"

using namespace connleak;

namespace {

using Line = std::optional<std::uint32_t>;

std::vector<std::byte> table_of(std::initializer_list<int> bytes) {
  std::vector<std::byte> table;
  for (const int byte : bytes) table.push_back(static_cast<std::byte>(byte));
  return table;
}

}  // namespace

TEST_CASE("Lines of Python 3.9: steps of address and line", "[python]") {
  // 0: 10, 6: 12, 56: 300 (in two steps), 60: 299.
  const auto table = table_of({6, 2, 50, 127, 0, 127, 0, 34, 4, -1});
  CHECK(line_of_lnotab(table, 10, -1) == Line(10));
  CHECK(line_of_lnotab(table, 10, 0) == Line(10));
  CHECK(line_of_lnotab(table, 10, 5) == Line(10));
  CHECK(line_of_lnotab(table, 10, 6) == Line(12));
  CHECK(line_of_lnotab(table, 10, 56) == Line(300));
  CHECK(line_of_lnotab(table, 10, 60) == Line(299));
  CHECK(line_of_lnotab(table, 10, 1000) == Line(299));
  CHECK(line_of_lnotab({}, 10, 4) == Line(10));
  CHECK(line_of_lnotab({}, 0, 4) == Line());
}

TEST_CASE("Lines of Python 3.10: ranges, some without a line", "[python]") {
  // 0-4: 11, 4-8: none, 8-10: 9.
  const auto table = table_of({4, 1, 4, -128, 2, -2});
  CHECK(line_of_ranges(table, 10, -1) == Line(10));
  CHECK(line_of_ranges(table, 10, 0) == Line(11));
  CHECK(line_of_ranges(table, 10, 3) == Line(11));
  CHECK(line_of_ranges(table, 10, 4) == Line());
  CHECK(line_of_ranges(table, 10, 8) == Line(9));
  CHECK(line_of_ranges(table, 10, 10) == Line());
}

TEST_CASE("Lines of Python 3.11 and later: every kind of entry", "[python]") {
  const auto head = [](int kind, int units) { return 0x80 | kind << 3 | (units - 1); };
  const auto table = table_of({
      head(14, 1), 3 << 1, 0, 1, 1,                       // 0: +3 = 13
      head(0, 2), 0x11,                                   // 2: short, 13
      head(11, 8), 4, 9,                                  // 6: +1 = 14
      head(13, 1), (5 << 1 & 0x3f) | 1,                   // 22: -5 = 9
      head(15, 1),                                        // 24: none
      head(13, 1), 0x40 | (1000 << 1 & 0x3f), 1000 >> 5,  // 26: +1000 = 1009
  });
  CHECK(line_of_locations(table, 10, -2) == Line(10));
  CHECK(line_of_locations(table, 10, 0) == Line(13));
  CHECK(line_of_locations(table, 10, 2) == Line(13));
  CHECK(line_of_locations(table, 10, 5) == Line(13));
  CHECK(line_of_locations(table, 10, 6) == Line(14));
  CHECK(line_of_locations(table, 10, 21) == Line(14));
  CHECK(line_of_locations(table, 10, 22) == Line(9));
  CHECK(line_of_locations(table, 10, 24) == Line());
  CHECK(line_of_locations(table, 10, 26) == Line(1009));
  CHECK(line_of_locations(table, 10, 28) == Line());
  CHECK(line_of_locations(table_of({0x11, 0x22}), 10, 0) == Line());
  CHECK(line_of_locations(table_of({head(14, 8), 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f, 0x7f}), 10, 0) == Line());
}

TEST_CASE("Line tables of random bytes give a line or none", "[python]") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::byte> table(random() % 400);
    for (std::byte& byte : table) byte = static_cast<std::byte>(random());
    const auto first = static_cast<std::int32_t>(random());
    for (const std::int64_t offset : {std::int64_t{0}, static_cast<std::int64_t>(random() % 2000),
                                      static_cast<std::int64_t>(random()), INT64_MIN, INT64_MAX}) {
      CHECK(line_of_lnotab(table, first, offset) != Line(0));
      CHECK(line_of_ranges(table, first, offset) != Line(0));
      CHECK(line_of_locations(table, first, offset) != Line(0));
    }
  }
}

TEST_CASE("Offsets that Python describes are bounded", "[python]") {
  std::array<std::uint64_t, kDebugOffsets> words;
  words.fill(32);
  CHECK(described_layout(13, words));
  CHECK(described_layout(15, words));
  CHECK_FALSE(described_layout(12, words));
  CHECK_FALSE(described_layout(16, words));
  words[9] = std::uint64_t{1} << 32;
  CHECK_FALSE(described_layout(14, words));
  words.fill(8);
  CHECK_FALSE(described_layout(13, words));
}

TEST_CASE("Frames of scripts: module, hash and UTF-8", "[python]") {
  const auto frame = script_frame_of(Language::python, "f", "/srv/a.py", 3);
  CHECK(frame.module == "a.py");
  CHECK(frame.offset == 0x757425ddb985ee6a);
  CHECK(script_frame_of(Language::python, "f", std::nullopt, std::nullopt).module == "[python]");
  std::string text;
  for (const std::uint32_t code_point : {0x41U, 0xe9U, 0x2603U, 0x1f40dU, 0xdc80U}) {
    CHECK(append_utf8(text, code_point));
  }
  CHECK(text == "A\xc3\xa9\xe2\x98\x83\xf0\x9f\x90\x8d\xef\xbf\xbd");
  CHECK_FALSE(append_utf8(text, 0x110000));
}
