// SPDX-License-Identifier: Apache-2.0
// How stacks of a process are captured: what is told to the kernel side, and when it is taken back.
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "app/capture_modes.hpp"
#include "piped_child.hpp"

namespace connleak::test {

namespace {

struct Told {
  std::vector<frame_layout> layouts;
  Symbolizer symbolizer;
  CaptureModes modes{symbolizer, [this](std::uint32_t, const frame_layout& layout) { layouts.push_back(layout); }};
  std::uint32_t self = static_cast<std::uint32_t>(::getpid());
};

}  // namespace

TEST_CASE("a native program is settled at the second look, and nothing is told of it", "[app]") {
  Told told;
  CHECK_FALSE(told.modes.look(told.self, 0));
  CHECK_FALSE(told.modes.is_settled(told.self, 0));
  CHECK_FALSE(told.modes.look(told.self, 0));
  CHECK(told.modes.is_settled(told.self, 0));
  CHECK(told.layouts.empty());
}

TEST_CASE("deep captures are asked for once a program is known to be native, and kept where they help", "[app]") {
  Told told;
  told.modes.look(told.self, 0);
  told.modes.deepen(told.self, 0, 7000);
  CHECK(told.layouts.empty());  // it may become a script's yet
  told.modes.look(told.self, 0);
  told.modes.deepen(told.self, 0, 7000);
  REQUIRE(told.layouts.size() == 1);
  CHECK(told.layouts[0].flags == FRAMES_DEEP);
  CHECK(told.layouts[0].skip <= 7000);
  CHECK(told.layouts[0].skip >= 6500);
  SECTION("helps") {
    told.modes.deep_seen(told.self, 0, true);
    for (int i = 0; i < 100; ++i) told.modes.deep_seen(told.self, 0, false);
    CHECK(told.layouts.size() == 1);
  }
  SECTION("in vain") {
    for (int i = 0; i < 100; ++i) told.modes.deep_seen(told.self, 0, false);
    REQUIRE(told.layouts.size() == 2);
    CHECK(told.layouts[1].flags == 0);
    told.modes.deepen(told.self, 0, 7000);
    CHECK(told.layouts.size() == 2);
  }
}

TEST_CASE("a script's interpreter is found once it has started, and never deepened", "[app]") {
  PipedChild child =
      start_piped({"/usr/bin/python3", "-c", "import sys; print('ready', flush=True); sys.stdin.read()"});
  char byte = 0;
  while (::read(child.output.get(), &byte, 1) == 1 && byte != '\n') {
  }
  const auto pid = static_cast<std::uint32_t>(child.pid);
  Told told;
  told.modes.look(pid, 0);
  REQUIRE(told.modes.is_settled(pid, 0));
  REQUIRE(told.layouts.size() == 1);
  CHECK((told.layouts[0].flags & FRAMES_SCRIPT) != 0);
  CHECK(told.layouts[0].root != 0);
  told.modes.deepen(pid, 0, 7000);
  CHECK(told.layouts.size() == 1);
  CHECK(told.modes.note(pid, 0).empty());
  told.modes.process_replaced(pid, 0);
  REQUIRE(told.layouts.size() == 2);
  CHECK(told.layouts[1].flags == 0);
  child.input = Fd();
  ::waitpid(child.pid, nullptr, 0);
}

}  // namespace connleak::test
