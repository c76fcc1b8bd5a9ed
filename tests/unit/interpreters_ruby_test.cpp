// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
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

// Any ruby that is on this machine; another one: CONNLEAK_RUBY=/path/to/ruby.
std::vector<std::string> subject() {
  return {test::program_or_skip("ruby", "CONNLEAK_RUBY"), test::script_path("stack.rb")};
}

// Those that run Ruby, the first one first.
std::vector<std::uint64_t> threads_of(const UnderstoodScript& script) {
  auto threads = script.process.thread_pointers();
  if (threads.empty()) SKIP("thread pointers are known on x86-64 only");
  std::erase_if(threads, [&](std::uint64_t pointer) { return script.walk(pointer).empty(); });
  REQUIRE(threads.size() == 2);
  return threads;
}

TEST_CASE("ruby: every frame of every thread has the name, file and line that Ruby gives itself", "[ruby]") {
  UnderstoodScript script(subject());
  CHECK(script.interpreter->version().starts_with("Ruby 3."));
  for (const std::uint64_t thread : threads_of(script)) {
    const auto raw = script.walk(thread);
    const auto frames = script.name(raw);
    INFO("named" << to_text(as_said(frames)) << "said" << to_text(script.said.frames));
    CHECK(as_said(frames) == script.said.frames);
    CHECK(raw.size() > frames.size());  // those in C too
    for (const SymbolFrame& frame : frames) {
      CHECK(frame.language == Language::ruby);
      CHECK(frame.offset != 0);
      CHECK((frame.module == "stack.rb" || frame.module == "(generated)"));
    }
    script.process.go_on();
    (void)script.process.next(script.said);
  }
}

TEST_CASE("ruby: a thread that is none of Ruby's has no frames", "[ruby]") {
  const UnderstoodScript script(subject());
  CHECK(script.walk(0).empty());
  CHECK(script.walk(0x1000).empty());
}

TEST_CASE("ruby: frames that do not hold together end the list", "[ruby]") {
  const UnderstoodScript script(subject());
  auto raw = script.walk(threads_of(script)[0]);
  std::erase_if(raw, [](const script_frame& frame) { return frame.code == 0 || frame.place == 0; });
  raw.pop_back();  // below the first
  const auto whole = script.name(raw).size();
  raw.back().place = raw.front().place;
  CHECK(script.name(raw).size() == whole - 1);
  raw.back().place += 1;
  CHECK(script.name(raw).size() == whole - 1);
  raw.back().code = raw.front().place;
  CHECK(script.name(raw).size() == whole - 1);
}

TEST_CASE("ruby: memory that lies is survived", "[ruby]") {
  const UnderstoodScript script(subject());
  const std::uint64_t thread = threads_of(script)[0];
  const auto raw = script.walk(thread);
  std::map<std::size_t, int> lengths;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const CorruptMemory corrupt(script.process.memory(), seed);
    ++lengths[script.interpreter->name(corrupt, raw).size()];
    (void)script.interpreter->name(corrupt, walk_frames(script.interpreter->layout(), corrupt, thread));
    // 128 frames of a few words and two texts each, and the walk.
    REQUIRE(corrupt.bytes_read() < 128 * (512 + 3 * 4096));
  }
  CHECK(lengths.size() > 2);
  for (unsigned seed = 0; seed < 100; ++seed) {
    const CorruptMemory corrupt(script.process.memory(), seed);
    (void)find_interpreter(script.files, corrupt);
    REQUIRE(corrupt.bytes_read() < (std::size_t{16} << 20));
  }
}

TEST_CASE("ruby: one that has not started is to be looked at again", "[ruby]") {
  const UnderstoodScript script(subject());
  CHECK(script.why_not_yet().find("look again") != std::string::npos);
}

}  // namespace
}  // namespace connleak
