// SPDX-License-Identifier: Apache-2.0
// Maps, demangling and stack ids on their own.
#include <array>
#include <catch2/catch_test_macros.hpp>

#include "symbols/demangle.hpp"
#include "symbols/maps.hpp"
#include "symbols/stack_id.hpp"

using namespace connleak;

TEST_CASE("maps: executable mappings with their file, and nothing else", "[symbols]") {
  const auto entries = parse_maps(
      "55d0c0000000-55d0c0001000 r--p 00000000 fe:01 1234    /srv/app\n"
      "55d0c0001000-55d0c0002000 r-xp 00001000 fe:01 1234    /srv/my app (deleted)\n"
      "7f0000000000-7f0000001000 rwxp 00000000 00:00 0 \n"
      "7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0       [vdso]\n");
  REQUIRE(entries.size() == 3);
  CHECK(entries[0].start == 0x55d0c0001000);
  CHECK(entries[0].end == 0x55d0c0002000);
  CHECK(entries[0].offset == 0x1000);
  CHECK(entries[0].file == FileKey{0xfe, 1, 1234});
  CHECK(entries[0].path == "/srv/my app");
  CHECK(entries[1].path.empty());
  CHECK(entries[2].path == "[vdso]");
}

TEST_CASE("maps: lines that are none are left out", "[symbols]") {
  CHECK(parse_maps("").empty());
  CHECK(parse_maps("\n\n-\n1-2\n1-2 r-xp\nx-y r-xp 0 0:0 0\n").empty());
  CHECK(parse_maps("2000-1000 r-xp 00000000 00:00 0").empty());
  CHECK(parse_maps("1000-2000 r-xp 00000000 00:00 99999999999999999999999 /x").empty());
  CHECK(parse_maps("1000-2000 r-xp 00000000 00:00 5").size() == 1);
}

TEST_CASE("demangling: C++, Rust legacy, and what is neither", "[symbols]") {
  CHECK(demangle("_ZN4shop8checkoutEPKci").name == "shop::checkout(char const*, int)");
  CHECK(demangle("_ZN4shop8checkoutEPKci").language == Language::native);
  CHECK(demangle("_ZN4shop8checkoutEPKci.cold").name == "shop::checkout(char const*, int)");
  const auto rust = demangle("_ZN52_$LT$shop..Pool$u20$as$u20$core..ops..drop..Drop$GT$4drop17h0123456789abcdefE");
  CHECK(rust.name == "<shop::Pool as core::ops::drop::Drop>::drop");
  CHECK(rust.language == Language::rust);
  CHECK(demangle("main").name == "main");
  CHECK(demangle("_Z").name == "_Z");
  CHECK(demangle("_ZN4shop").name == "_ZN4shop");
}

TEST_CASE("demangling: Rust v0 where libiberty is there, else the name as it is", "[symbols]") {
  const auto name = demangle("_RNvC4shop4main").name;
  CHECK((name == "shop::main" || name == "_RNvC4shop4main"));
}

TEST_CASE("demangling: a name that grows without end is returned as it came", "[symbols]") {
  // Each pair holds the one before twice: 2^n characters.
  std::string bomb = "_Z1fSt4pairIiiE";
  for (const char back : std::string_view("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    bomb.append("St4pairIS").append(1, back).append("_S").append(1, back).append("_E");
  }
  CHECK(demangle(bomb).name.size() < 10'000);
  CHECK(demangle("_Z" + std::string(100'000, 'N')).name.size() == 100'002);
  CHECK(demangle("_Z1f" + std::string(8'000, 'P') + "i").name.size() < 10'000);
}

TEST_CASE("stack ids: the order, the module and the offset count; inlined frames do not", "[symbols]") {
  using Locations = std::array<StackLocation, 2>;
  const auto id = [](const Locations& locations) { return stack_id(std::span<const StackLocation>(locations)); };
  const auto base = id({{{"app", 0x10}, {"libc.so.6", 0x20}}});
  CHECK(base.size() == 16);
  CHECK(base.find_first_not_of("0123456789abcdef") == std::string::npos);
  CHECK(id({{{"app", 0x10}, {"libc.so.6", 0x20}}}) == base);
  CHECK(id({{{"libc.so.6", 0x20}, {"app", 0x10}}}) != base);
  CHECK(id({{{"app2", 0x10}, {"libc.so.6", 0x20}}}) != base);
  CHECK(id({{{"app", 0x11}, {"libc.so.6", 0x20}}}) != base);
  // Known value: scripts and other hosts compare ids, so the formula may not change by accident.
  CHECK(stack_id(std::span<const StackLocation>()) == "cbf29ce484222325");

  std::vector<SymbolFrame> frames(3);
  frames[0].module = "app", frames[0].offset = 0x10, frames[0].inlined = true;
  frames[1].module = "app", frames[1].offset = 0x10;
  frames[2].module = "libc.so.6", frames[2].offset = 0x20;
  CHECK(stack_id(std::span<const SymbolFrame>(frames)) == base);
}
