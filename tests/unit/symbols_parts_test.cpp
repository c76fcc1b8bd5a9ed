// SPDX-License-Identifier: Apache-2.0
// Maps, demangling and stack ids on their own.
#include <catch2/catch_test_macros.hpp>
#include <optional>
#include <vector>

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
  CHECK(demangle("main.cold").name == "main");
  CHECK(demangle("take.constprop.0.isra.0").name == "take");
  CHECK(demangle(".part.0").name == ".part.0");
  CHECK(demangle("os.Exit").name == "os.Exit");
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

TEST_CASE("stack ids: order, module and function count, or the offset where no function is known", "[symbols]") {
  const auto frame = [](const char* module, std::optional<std::string> function, std::uint64_t offset) {
    SymbolFrame out;
    out.module = module;
    out.function = std::move(function);
    out.offset = offset;
    return out;
  };
  const auto id = [](const std::vector<SymbolFrame>& frames) { return stack_id(frames); };
  const auto base = id({frame("app", "find", 0x10), frame("libc.so.6", {}, 0x20)});
  CHECK(base.size() == 16);
  CHECK(base.find_first_not_of("0123456789abcdef") == std::string::npos);
  // Another build: the functions lie elsewhere.
  CHECK(id({frame("app", "find", 0x99), frame("libc.so.6", {}, 0x20)}) == base);
  CHECK(id({frame("libc.so.6", {}, 0x20), frame("app", "find", 0x10)}) != base);
  CHECK(id({frame("app2", "find", 0x10), frame("libc.so.6", {}, 0x20)}) != base);
  CHECK(id({frame("app", "find2", 0x10), frame("libc.so.6", {}, 0x20)}) != base);
  CHECK(id({frame("app", "find", 0x10), frame("libc.so.6", {}, 0x21)}) != base);
  CHECK(id({frame("app", {}, 0x10), frame("libc.so.6", {}, 0x20)}) != base);
  // Whether one was inlined into the other does not show.
  auto inlined = frame("app", "find", 0x10);
  inlined.inlined = true;
  CHECK(id({inlined, frame("app", "main", 0x10)}) == id({frame("app", "find", 0x50), frame("app", "main", 0x70)}));
  // Known values: scripts and other hosts compare ids, so the formula may not change by accident.
  CHECK(id({}) == "cbf29ce484222325");
  CHECK(base == "5953b9ef1c523cbe");
}
