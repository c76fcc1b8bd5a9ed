// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <map>

#include "interpreters/php.hpp"
#include "interpreters/paused_script.hpp"

namespace connleak {
namespace {

using test::CorruptMemory;
using test::LiveMemory;
using test::PausedScript;

// Any php that is on this machine; another one: CONNLEAK_PHP=/path/to/php.
std::optional<std::string> php() {
  const char* other = std::getenv("CONNLEAK_PHP");
  return other != nullptr ? std::optional<std::string>(other) : test::program_path("php");
}

#define SKIP_WITHOUT_PHP \
  if (!php()) SKIP("php is not installed: tools/install test")

TEST_CASE("php: every frame has the name, file and line that PHP gives itself", "[php]") {
  SKIP_WITHOUT_PHP;
  const PausedScript process({*php(), test::script_path("stack.php")});
  const LiveMemory memory(process.pid());
  const auto found = find_interpreter(process.files(), memory);
  INFO(found.why_not);
  REQUIRE(found.interpreter);
  CHECK(found.interpreter->version().starts_with("PHP "));
  const auto raw = walk_frames(found.interpreter->layout(), memory, 0);
  CHECK(raw.size() > process.lines().size());  // internal functions too
  const auto frames = found.interpreter->name(memory, raw);
  CHECK(test::said(frames) == process.lines());
  for (const SymbolFrame& frame : frames) {
    CHECK(frame.language == Language::php);
    CHECK(frame.module == "stack.php");
    CHECK(frame.offset != 0);
  }
}

TEST_CASE("php: the number of a function is the same in every run", "[php]") {
  SKIP_WITHOUT_PHP;
  std::vector<std::uint64_t> offsets[2];
  for (auto& run : offsets) {
    const PausedScript process({*php(), test::script_path("stack.php")});
    const LiveMemory memory(process.pid());
    const auto found = find_php(process.files(), memory);
    REQUIRE(found);
    REQUIRE(found->interpreter);
    for (const auto& frame :
         found->interpreter->name(memory, walk_frames(found->interpreter->layout(), memory, 0)))
      run.push_back(frame.offset);
  }
  CHECK(offsets[0].size() > 3);
  CHECK(offsets[0] == offsets[1]);
}

TEST_CASE("php: frames that do not hold together end the list", "[php]") {
  SKIP_WITHOUT_PHP;
  const PausedScript process({*php(), test::script_path("stack.php")});
  const LiveMemory memory(process.pid());
  const auto found = find_php(process.files(), memory);
  REQUIRE(found);
  REQUIRE(found->interpreter);
  auto raw = walk_frames(found->interpreter->layout(), memory, 0);
  REQUIRE(raw.size() > 4);
  // The place of another function: the memory was given to somebody else since.
  const auto whole = found->interpreter->name(memory, raw).size();
  raw.back().place = raw[1].place;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
  raw.back().place += 1;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
  raw.back().code = 1;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
}

TEST_CASE("php: memory that lies is survived", "[php]") {
  SKIP_WITHOUT_PHP;
  const PausedScript process({*php(), test::script_path("stack.php")});
  const LiveMemory memory(process.pid());
  const auto found = find_php(process.files(), memory);
  REQUIRE(found);
  REQUIRE(found->interpreter);
  const auto raw = walk_frames(found->interpreter->layout(), memory, 0);
  std::map<std::size_t, int> lengths;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const CorruptMemory corrupt(memory, seed);
    ++lengths[found->interpreter->name(corrupt, raw).size()];
    (void)found->interpreter->name(corrupt, walk_frames(found->interpreter->layout(), corrupt, 0));
    // 64 frames of a header and three texts each.
    REQUIRE(corrupt.bytes_read() < 128 * (512 + 3 * 4096));
  }
  CHECK(lengths.size() > 2);
}

TEST_CASE("php: another program is none, and says nothing", "[php]") {
  const PausedScript process({"/bin/sh", "-c", "echo end; read line"});
  const LiveMemory memory(process.pid());
  CHECK(!find_php(process.files(), memory));
}

}  // namespace
}  // namespace connleak
