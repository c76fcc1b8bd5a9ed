// SPDX-License-Identifier: Apache-2.0
// Names in C and C++ programs, compared with what the programs say themselves.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <chrono>
#include <iostream>

#include "symbols/stack_id.hpp"
#include "symbols/subject.hpp"
#include "symbols/symbolizer.hpp"

using namespace connleak;
using connleak::test::Subject;
using connleak::test::subject_path;

namespace {

const std::vector<SymbolFrame>& ask(Symbolizer& symbolizer, const Subject& subject, const std::string& kind) {
  const auto& frames = symbolizer.resolve(subject.pid(), subject.start_ns(), subject.site(kind).address, true);
  for (const auto& frame : frames) {
    UNSCOPED_INFO(frame.function.value_or("?")
                  << " " << frame.file.value_or("?") << ":" << frame.line.value_or(0));
  }
  return frames;
}

}  // namespace

TEST_CASE("a C program with debug information gives function, file and line", "[symbols]") {
  const std::string name = GENERATE("c_debug", "c_fixed", "c_linked_none", "c_linked_sha1");
  CAPTURE(name);
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  for (const char* kind : {"plain", "hidden"}) {
    const auto& said = subject.site(kind).frames.front();
    const auto frames = ask(symbolizer, subject, kind);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].function == said.function);
    CHECK(frames[0].line == said.line);
    CHECK(frames[0].file.value_or("").ends_with("/c_subject.c"));
    CHECK(frames[0].module == name);
    CHECK(frames[0].language == Language::native);
    CHECK(frames[0].application);
    CHECK(!frames[0].inlined);
  }
}

TEST_CASE("an inlined C function comes before its caller, with the line of the call", "[symbols]") {
  const std::string name = GENERATE("c_debug", "c_fixed", "c_linked_none", "c_linked_sha1");
  CAPTURE(name);
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  const auto& said = subject.site("inlined").frames;
  const auto frames = ask(symbolizer, subject, "inlined");
  REQUIRE(frames.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(frames[i].function == said[i].function);
    CHECK(frames[i].line == said[i].line);
    CHECK(frames[i].file.value_or("").ends_with("/c_subject.c"));
  }
  CHECK(frames[0].inlined);
  CHECK(!frames[1].inlined);
  CHECK(frames[0].offset == frames[1].offset);
}

TEST_CASE("without debug information the function is named and the line is unknown", "[symbols]") {
  Subject subject(subject_path("c_plain"));
  Symbolizer symbolizer;
  const auto frames = ask(symbolizer, subject, "inlined");
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].function == "outer_function");
  CHECK(!frames[0].file);
  CHECK(!frames[0].line);
}

TEST_CASE("a stripped program has no names, but a module, an offset and an owner", "[symbols]") {
  Subject subject(subject_path("c_stripped"));
  Symbolizer symbolizer;
  const auto frames = ask(symbolizer, subject, "plain");
  REQUIRE(frames.size() == 1);
  CHECK(!frames[0].function);
  CHECK(!frames[0].file);
  CHECK(frames[0].module == "c_stripped");
  CHECK(frames[0].offset > 0);
  CHECK(frames[0].application);
}

TEST_CASE("libc is named by its soname and is no application", "[symbols]") {
  Subject subject(subject_path("c_plain"));
  Symbolizer symbolizer;
  const auto& site = subject.site("libc");
  const auto& frames = symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, false);
  REQUIRE(!frames.empty());
  CHECK(frames.back().function.value_or("").find("printf") != std::string::npos);
  CHECK(frames.back().module.starts_with("libc.so"));
  CHECK(!frames.back().application);
}

TEST_CASE("C++ names are demangled with their namespace and parameters", "[symbols]") {
  const std::string name = GENERATE("cpp_debug", "cpp_plain");
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  for (const char* kind : {"member", "free"}) {
    CAPTURE(name, kind);
    const auto& said = subject.site(kind).frames.front();
    const auto frames = ask(symbolizer, subject, kind);
    REQUIRE(frames.size() == 1);
    CHECK(frames[0].function == said.function);
    CHECK(frames[0].application);
    if (name == "cpp_debug") {
      CHECK(frames[0].line == said.line);
      CHECK(frames[0].file.value_or("").ends_with("/cpp_subject.cpp"));
    }
  }
}

TEST_CASE("a function inlined into a lambda comes before the lambda", "[symbols]") {
  Subject subject(subject_path("cpp_debug"));
  Symbolizer symbolizer;
  const auto& said = subject.site("lambda").frames;
  const auto frames = ask(symbolizer, subject, "lambda");
  // The compiler may inline the lambda once more, into the function that makes it a plain pointer.
  REQUIRE(frames.size() >= 2);
  CHECK(frames[0].function == said[0].function);
  CHECK(frames[0].line == said[0].line);
  CHECK(frames[1].line == said[1].line);
  CHECK(frames.back().function.value_or("").starts_with("shop::each()::{lambda()#1}"));
}

TEST_CASE("names are available after the process has exited", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  const std::uint32_t pid = subject.pid();
  symbolizer.process_seen(pid, subject.start_ns());
  subject.stop();
  symbolizer.process_gone(pid, subject.start_ns());
  const auto& said = subject.site("plain");
  const auto& frames = symbolizer.resolve(pid, subject.start_ns(), said.address, true);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].function == said.frames[0].function);
  CHECK(frames[0].line == said.frames[0].line);
}

TEST_CASE("a process that was never seen alive has no names", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  const std::uint32_t pid = subject.pid();
  subject.stop();
  Symbolizer symbolizer;
  CHECK(symbolizer.resolve(pid, subject.start_ns(), subject.site("plain").address, true).empty());
  CHECK(symbolizer.stats().processes_missed == 1);
}

TEST_CASE("a pid that another process has by now gives no names of that one", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  const std::uint64_t other_start = subject.start_ns() - 1'000'000'000;
  CHECK(symbolizer.resolve(subject.pid(), other_start, subject.site("plain").address, true).empty());
  CHECK(!symbolizer.resolve(subject.pid(), subject.start_ns(), subject.site("plain").address, true).empty());
}

TEST_CASE("an address in no mapped file has no frames", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  for (const std::uint64_t address : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{4096}, UINT64_MAX}) {
    CAPTURE(address);
    CHECK(symbolizer.resolve(subject.pid(), subject.start_ns(), address, true).empty());
    CHECK(symbolizer.resolve(subject.pid(), subject.start_ns(), address, false).empty());
  }
}

TEST_CASE("a library loaded later is found", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  symbolizer.process_seen(subject.pid(), subject.start_ns());
  subject.go_on();
  const auto& site = subject.site("late");
  REQUIRE(site.address != 0);
  const auto& frames = symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, false);
  REQUIRE(frames.size() == 1);
  CHECK(frames[0].function == "late_function");
  CHECK(frames[0].module == "liblate.so");
  CHECK(frames[0].application);
  CHECK(symbolizer.stats().maps_read == 2);
}

TEST_CASE("addresses in no file do not make every lookup read the maps", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  for (std::uint64_t address = 4096; address < 4096 + 1000; ++address) {
    CHECK(symbolizer.resolve(subject.pid(), subject.start_ns(), address, true).empty());
  }
  CHECK(symbolizer.stats().maps_read < 50);
}

TEST_CASE("after many addresses in no file a library loaded later is still found, if later", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  const auto ask_at = [&](std::uint64_t address) -> const auto& {
    return symbolizer.resolve(subject.pid(), subject.start_ns(), address, false);
  };
  for (std::uint64_t address = 4096; address < 4096 + 100; ++address) CHECK(ask_at(address).empty());
  subject.go_on();
  const auto& site = subject.site("late");
  int tries = 0;
  while (ask_at(site.address).empty() && ++tries < 20'000) {
  }
  CHECK(tries > 1000);
  REQUIRE(!ask_at(site.address).empty());
  CHECK(ask_at(site.address)[0].function == "late_function");
}

TEST_CASE("two runs of one build give the same stack id, other places another", "[symbols]") {
  Subject first(subject_path("c_debug"));
  Subject second(subject_path("c_debug"));
  Symbolizer symbolizer;
  const auto id = [&](const Subject& subject, const std::string& kind) {
    return stack_id(symbolizer.resolve(subject.pid(), subject.start_ns(), subject.site(kind).address, true));
  };
  REQUIRE(first.pid() != second.pid());
  CHECK(id(first, "inlined") == id(second, "inlined"));
  CHECK(id(first, "inlined") != id(first, "plain"));
  CHECK(id(first, "plain").size() == 16);
}

TEST_CASE("files are opened once for all processes, and forgotten under a limit", "[symbols]") {
  Subject first(subject_path("c_debug"));
  Subject second(subject_path("c_debug"));
  Subject third(subject_path("cpp_debug"));
  SECTION("shared") {
    Symbolizer symbolizer;
    symbolizer.process_seen(first.pid(), first.start_ns());
    const auto opened = symbolizer.stats().modules_opened;
    symbolizer.process_seen(second.pid(), second.start_ns());
    CHECK(symbolizer.stats().modules_opened == opened);
  }
  SECTION("few files and processes at a time still give right names while the process lives") {
    Symbolizer symbolizer({.modules = 2, .processes = 2, .addresses = 2});
    for (int round = 0; round < 5; ++round) {
      for (const Subject* subject : {&first, &second, &third}) {
        const auto& site = subject->sites().front();
        const auto& frames = symbolizer.resolve(subject->pid(), subject->start_ns(), site.address, true);
        REQUIRE(!frames.empty());
        CHECK(frames[0].function == site.frames[0].function);
      }
    }
  }
}

TEST_CASE("tables and answers are forgotten under a limit, and read again", "[symbols]") {
  Subject first(subject_path("c_debug"));
  Subject second(subject_path("cpp_debug"));
  Symbolizer symbolizer;
  const auto ask_all = [&](Symbolizer& asked) {
    for (const Subject* subject : {&first, &second}) {
      for (const auto& site : subject->sites()) {
        if (site.kind == "libc" || site.kind == "lambda") continue;
        const auto& frames = asked.resolve(subject->pid(), subject->start_ns(), site.address, true);
        REQUIRE(!frames.empty());
        CHECK(frames[0].function == site.frames[0].function);
        CHECK(frames[0].line == site.frames[0].line);
      }
    }
  };
  ask_all(symbolizer);
  const std::size_t unbounded = symbolizer.memory_bytes();
  CHECK(unbounded > 20'000);
  CHECK(unbounded < 2'000'000);
  CHECK(symbolizer.stats().tables_forgotten == 0);
  ask_all(symbolizer);
  CHECK(symbolizer.memory_bytes() == unbounded);
  Symbolizer small({.bytes = unbounded / 4});
  for (int round = 0; round < 3; ++round) ask_all(small);
  CHECK(small.stats().tables_forgotten > 0);
  CHECK(small.memory_bytes() < unbounded);
  symbolizer.process_replaced(first.pid(), first.start_ns());
  symbolizer.process_replaced(second.pid(), second.start_ns());
  CHECK(symbolizer.memory_bytes() < unbounded);
}

TEST_CASE("a cached answer takes less than a microsecond", "[symbols]") {
  Subject subject(subject_path("c_debug"));
  Symbolizer symbolizer;
  const auto address = subject.site("inlined").address;
  constexpr int kRounds = 100'000;
  std::size_t frames = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < kRounds; ++i) {
    frames += symbolizer.resolve(subject.pid(), subject.start_ns(), address, true).size();
  }
  const auto each =
      std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / kRounds;
  std::cout << "cached lookup: " << each << " ns\n";
  CHECK(frames == 2 * kRounds);
#ifndef __SANITIZE_ADDRESS__
  CHECK(each < 1000);
#endif
}
