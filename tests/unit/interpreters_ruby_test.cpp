// SPDX-License-Identifier: Apache-2.0
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <map>

#include "interpreters/ruby.hpp"
#include "interpreters/paused_script.hpp"

namespace connleak {
namespace {

using test::CorruptMemory;
using test::LiveMemory;
using test::PausedScript;

// Any ruby that is on this machine; another one: CONNLEAK_RUBY=/path/to/ruby.
std::optional<std::string> ruby() {
  const char* other = std::getenv("CONNLEAK_RUBY");
  return other != nullptr ? std::optional<std::string>(other) : test::program_path("ruby");
}

#define SKIP_WITHOUT_RUBY \
  if (!ruby()) SKIP("ruby is not installed: tools/install test")

struct Stack {
  std::vector<script_frame> raw;
  std::vector<std::string> named;
};

// One for each thread that runs Ruby.
std::vector<Stack> stacks(const PausedScript& process, Interpreter& interpreter) {
  const LiveMemory memory(process.pid());
  std::vector<Stack> found;
  for (const std::uint64_t pointer : process.thread_pointers()) {
    auto raw = walk_frames(interpreter.layout(), memory, pointer);
    if (raw.empty()) continue;
    auto named = test::said(interpreter.name(memory, raw));
    found.push_back({std::move(raw), std::move(named)});
  }
  return found;
}

TEST_CASE("ruby: every frame of every thread has the name, file and line that Ruby gives itself", "[ruby]") {
  SKIP_WITHOUT_RUBY;
  const PausedScript process({*ruby(), test::script_path("stack.rb")});
  const LiveMemory memory(process.pid());
  const auto found = find_interpreter(process.files(), memory);
  INFO(found.why_not);
  REQUIRE(found.interpreter);
  CHECK(found.interpreter->version().starts_with("Ruby 3."));
  if (process.thread_pointers().empty()) SKIP("thread pointers are known on x86-64 only");
  const auto dashes = std::ranges::find(process.lines(), "--");
  REQUIRE(dashes != process.lines().end());
  const std::vector<std::string> first(process.lines().begin(), dashes);
  const std::vector<std::string> second(dashes + 1, process.lines().end());
  const auto threads = stacks(process, *found.interpreter);
  REQUIRE(threads.size() == 2);
  CHECK(threads[0].named == first);
  CHECK(threads[1].named == second);
  CHECK(threads[0].raw.size() > first.size());  // those in C too
  for (const auto& frame : found.interpreter->name(memory, threads[0].raw)) {
    CHECK(frame.language == Language::ruby);
    CHECK(frame.offset != 0);
    CHECK((frame.module == "stack.rb" || frame.module == "(generated)"));
  }
}

TEST_CASE("ruby: a thread that is none of Ruby's has no frames", "[ruby]") {
  SKIP_WITHOUT_RUBY;
  const PausedScript process({*ruby(), test::script_path("stack.rb")});
  const LiveMemory memory(process.pid());
  const auto found = find_ruby(process.files(), memory);
  REQUIRE(found);
  REQUIRE(found->interpreter);
  CHECK(walk_frames(found->interpreter->layout(), memory, 0).empty());
  CHECK(walk_frames(found->interpreter->layout(), memory, 0x1000).empty());
}

TEST_CASE("ruby: frames that do not hold together end the list", "[ruby]") {
  SKIP_WITHOUT_RUBY;
  const PausedScript process({*ruby(), test::script_path("stack.rb")});
  const LiveMemory memory(process.pid());
  const auto found = find_ruby(process.files(), memory);
  REQUIRE(found);
  REQUIRE(found->interpreter);
  const auto threads = stacks(process, *found->interpreter);
  if (threads.empty()) SKIP("thread pointers are known on x86-64 only");
  auto raw = threads[0].raw;
  std::erase_if(raw, [](const script_frame& frame) { return frame.code == 0 || frame.place == 0; });
  raw.pop_back();  // below the first
  const auto whole = found->interpreter->name(memory, raw).size();
  raw.back().place = raw.front().place;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
  raw.back().place += 1;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
  raw.back().code = raw.front().place;
  CHECK(found->interpreter->name(memory, raw).size() == whole - 1);
}

TEST_CASE("ruby: memory that lies is survived", "[ruby]") {
  SKIP_WITHOUT_RUBY;
  const PausedScript process({*ruby(), test::script_path("stack.rb")});
  const LiveMemory memory(process.pid());
  const auto found = find_ruby(process.files(), memory);
  REQUIRE(found);
  REQUIRE(found->interpreter);
  const auto pointers = process.thread_pointers();
  const auto threads = stacks(process, *found->interpreter);
  if (threads.empty()) SKIP("thread pointers are known on x86-64 only");
  std::map<std::size_t, int> lengths;
  for (unsigned seed = 0; seed < 4000; ++seed) {
    const CorruptMemory corrupt(memory, seed);
    ++lengths[found->interpreter->name(corrupt, threads[0].raw).size()];
    (void)found->interpreter->name(corrupt, walk_frames(found->interpreter->layout(), corrupt, pointers[0]));
    // 128 frames of a few words and two texts each, and the walk.
    REQUIRE(corrupt.bytes_read() < 128 * (512 + 3 * 4096));
  }
  CHECK(lengths.size() > 2);
  for (unsigned seed = 0; seed < 100; ++seed) {
    const CorruptMemory corrupt(memory, seed);
    (void)find_ruby(process.files(), corrupt);
    REQUIRE(corrupt.bytes_read() < (std::size_t{16} << 20));
  }
}

TEST_CASE("ruby: another program is none, and says nothing", "[ruby]") {
  const PausedScript process({"/bin/sh", "-c", "echo end; read line"});
  const LiveMemory memory(process.pid());
  CHECK(!find_ruby(process.files(), memory));
}

}  // namespace
}  // namespace connleak
