// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <map>

#include "interpreters/altered_memory.hpp"
#include "interpreters/script_process.hpp"

namespace connleak {
namespace {

using test::as_said;
using test::CorruptMemory;
using test::to_text;
using test::UnderstoodScript;

// Any php that is on this machine; another one: CONNLEAK_PHP=/path/to/php.
std::vector<std::string> subject() {
  return {test::program_or_skip("php", "CONNLEAK_PHP"), test::script_path("stack.php")};
}

TEST_CASE("php: every frame has the name, file and line that PHP gives itself", "[php]") {
  const UnderstoodScript script(subject());
  CHECK(script.interpreter->version().starts_with("PHP "));
  const auto raw = script.walk(0);
  CHECK(raw.size() > script.said.frames.size());  // internal functions too
  const auto frames = script.name(raw);
  INFO("named" << to_text(as_said(frames)) << "said" << to_text(script.said.frames));
  CHECK(as_said(frames) == script.said.frames);
  for (const SymbolFrame& frame : frames) {
    CHECK(frame.language == Language::php);
    CHECK(frame.module == "stack.php");
    CHECK(frame.offset != 0);
  }
}

TEST_CASE("php: the number of a function is the same in every run", "[php]") {
  std::vector<std::uint64_t> offsets[2];
  for (auto& run : offsets) {
    const UnderstoodScript script(subject());
    for (const auto& frame : script.name(script.walk(0))) run.push_back(frame.offset);
  }
  CHECK(offsets[0].size() > 3);
  CHECK(offsets[0] == offsets[1]);
}

TEST_CASE("php: frames that do not hold together end the list", "[php]") {
  const UnderstoodScript script(subject());
  auto raw = script.walk(0);
  REQUIRE(raw.size() > 4);
  // The place of another function: the memory was given to somebody else since.
  const auto whole = script.name(raw).size();
  raw.back().place = raw[1].place;
  CHECK(script.name(raw).size() == whole - 1);
  raw.back().place += 1;
  CHECK(script.name(raw).size() == whole - 1);
  raw.back().code = 1;
  CHECK(script.name(raw).size() == whole - 1);
}

TEST_CASE("php: memory that lies is survived", "[php]") {
  const UnderstoodScript script(subject());
  const auto raw = script.walk(0);
  std::map<std::size_t, int> lengths;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const CorruptMemory corrupt(script.process.memory(), seed);
    ++lengths[script.interpreter->name(corrupt, raw).size()];
    (void)script.interpreter->name(corrupt, walk_frames(script.interpreter->layout(), corrupt, 0));
    // 64 frames of a header and three texts each.
    REQUIRE(corrupt.bytes_read() < 128 * (512 + 3 * 4096));
  }
  CHECK(lengths.size() > 2);
}

TEST_CASE("php: one that has not started is to be looked at again", "[php]") {
  const UnderstoodScript script(subject());
  CHECK(script.why_not_yet().find("has not started yet") != std::string::npos);
}

}  // namespace
}  // namespace connleak
