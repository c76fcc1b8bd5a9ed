// SPDX-License-Identifier: Apache-2.0
// Which interpreter of a process it is.
#include <catch2/catch_test_macros.hpp>

#include "interpreters/altered_memory.hpp"
#include "interpreters/script_process.hpp"

namespace connleak {
namespace {

TEST_CASE("A program without an interpreter is none, and says nothing", "[python][php][ruby]") {
  test::ScriptProcess process({"/bin/sh", "-c", "echo ready; read x"});
  test::SaidPlace said;
  REQUIRE(process.next(said));
  const auto found = find_interpreter(process.files(), process.memory());
  CHECK_FALSE(found.interpreter);
  CHECK(found.why_not.empty());
  CHECK_FALSE(found.not_yet);
}

TEST_CASE("Beside one that is not understood another one is found", "[python][ruby]") {
  const test::UnderstoodScript script(
      {test::program_or_skip("ruby", "CONNLEAK_RUBY"), test::script_path("stack.rb")});
  auto files = script.files;
  files.push_back(files.front());
  files.back().path = "/usr/lib/libpypy3-c.so";
  const auto found = find_interpreter(files, script.process.memory());
  CHECK(found.interpreter);
  CHECK(found.why_not.empty());
  // While it has not started: the first one says why, and looking again is worth it.
  const auto early = find_interpreter(files, test::UnstartedMemory(files));
  CHECK_FALSE(early.interpreter);
  CHECK(early.why_not.find("PyPy is not understood") != std::string::npos);
  CHECK(early.not_yet);
}

}  // namespace
}  // namespace connleak
