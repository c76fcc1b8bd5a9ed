// SPDX-License-Identifier: Apache-2.0
// Names in Go programs, compared with what the program's own runtime says.
#include <sys/stat.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <fstream>
#include <iterator>

#include "symbols/subject.hpp"
#include "symbols/symbolizer.hpp"

using namespace connleak;
using connleak::test::Subject;
using connleak::test::subject_path;

namespace {

void require_go() {
#ifndef CONNLEAK_HAVE_GO
  SKIP("go was not found when the build was configured");
#endif
}

// The frame that the program says is the last of its address; runtime.Callers gives inlined callers addresses of
// their own, so what it says about one address can be the tail of what the address stands for.
bool agrees(const std::vector<SymbolFrame>& got, const std::vector<test::SaidFrame>& said) {
  if (got.size() < said.size()) return false;
  for (std::size_t i = 0; i < said.size(); ++i) {
    const SymbolFrame& frame = got[i];
    if (frame.function != said[i].function || frame.line != said[i].line || frame.file != said[i].file)
      return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Go frames are those that the Go runtime gives, in every build mode", "[symbols][go]") {
  require_go();
  const std::string name = GENERATE("go_normal", "go_stripped", "go_pie", "go_trimpath");
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  REQUIRE(subject.sites().size() > 6);
  std::size_t inlined = 0;
  for (const auto& site : subject.sites()) {
    const auto& frames = symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, true);
    CAPTURE(name, site.address, site.frames.front().function, site.frames.front().line);
    for (const auto& frame : frames) UNSCOPED_INFO(frame.function.value_or("?") << ":" << frame.line.value_or(0));
    CHECK(agrees(frames, site.frames));
    REQUIRE(!frames.empty());
    CHECK(frames.front().language == Language::go);
    CHECK(frames.front().module == name);
    CHECK(!frames.back().inlined);
    inlined += frames.size() - 1;
  }
  CHECK(inlined > 0);
}

TEST_CASE("an inlined Go function is named with its caller and the line of the call", "[symbols][go]") {
  require_go();
  const std::string name = GENERATE("go_normal", "go_stripped", "go_pie");
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  std::vector<SymbolFrame> frames;
  for (const auto& site : subject.sites()) {
    frames = symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, true);
    if (frames.size() == 2 && frames[1].function == "main.query") break;
  }
  CAPTURE(name);
  REQUIRE(frames.size() == 2);
  CHECK(frames[0].function == "shop/orders.(*Store).Site");
  CHECK(frames[0].inlined);
  CHECK(frames[0].line == 12u);
  CHECK(frames[0].application);
  CHECK(frames[1].function == "main.query");
  CHECK(frames[1].line == 39u);
  CHECK(frames[1].file.value_or("").ends_with("/main.go"));
  CHECK(frames[1].application);
}

TEST_CASE("Go's standard library is never the application", "[symbols][go]") {
  require_go();
  const std::string name = GENERATE("go_stripped", "go_trimpath");
  Subject subject(subject_path(name));
  Symbolizer symbolizer;
  bool seen_sort = false;
  bool seen_main = false;
  for (const auto& site : subject.sites()) {
    for (const auto& frame : symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, true)) {
      CAPTURE(frame.function.value_or("?"));
      REQUIRE(frame.function.has_value());
      const bool own = frame.function->starts_with("main.") || frame.function->starts_with("shop/");
      CHECK(frame.application == own);
      seen_sort = seen_sort || frame.function->starts_with("sort.");
      seen_main = seen_main || *frame.function == "main.main";
    }
  }
  CHECK(seen_sort);
  CHECK(seen_main);
}

TEST_CASE("Go names are found without sections, as packers and sstrip leave files", "[symbols][go]") {
  require_go();
  const std::string name = GENERATE("go_stripped", "go_pie");
  std::ifstream in(subject_path(name), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  REQUIRE(bytes.size() > 64);
  // e_shoff, e_shentsize, e_shnum, e_shstrndx of Elf64_Ehdr.
  std::fill_n(bytes.begin() + 40, 8, '\0');
  std::fill_n(bytes.begin() + 58, 6, '\0');
  const std::string path = subject_path(name + "_sectionless");
  std::remove(path.c_str());
  std::ofstream(path, std::ios::binary) << bytes;
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  Subject subject(path);
  Symbolizer symbolizer;
  std::size_t inlined = 0;
  for (const auto& site : subject.sites()) {
    const auto& frames = symbolizer.resolve(subject.pid(), subject.start_ns(), site.address, true);
    CAPTURE(name, site.frames.front().function);
    CHECK(agrees(frames, site.frames));
    inlined += frames.empty() ? 0 : frames.size() - 1;
  }
  CHECK(inlined > 0);
}
