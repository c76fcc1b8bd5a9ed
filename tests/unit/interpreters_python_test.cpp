// SPDX-License-Identifier: Apache-2.0
// Frames of living Pythons, of every version on this machine, against what the scripts say of themselves.
#include <stdlib.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "interpreters/altered_memory.hpp"
#include "interpreters/python_lines.hpp"
#include "interpreters/script_process.hpp"

using namespace connleak;
using namespace connleak::test;

namespace {

namespace fs = std::filesystem;

constexpr const char* kBoot = "import sys; exec(compile(sys.argv[1], sys.argv[2], 'exec'))";

struct Installed {
  std::string path;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  [[nodiscard]] bool understood() const { return major == 3 && minor >= 9 && minor <= 15; }
};

std::optional<Installed> ask_version(const std::string& path) {
  std::FILE* out =
      ::popen(("'" + path + "' -c 'import sys; print(\"%d %d\" % sys.version_info[:2])' 2>&1").c_str(), "r");
  Installed found{.path = path};
  const bool told = out != nullptr && std::fscanf(out, "%u %u", &found.major, &found.minor) == 2;
  if (out != nullptr) ::pclose(out);
  return told ? std::optional(found) : std::nullopt;
}

// One of each file; more can be named in CONNLEAK_PYTHONS, with colons between them.
const std::vector<Installed>& pythons() {
  static const std::vector<Installed> all = [] {
    std::vector<fs::path> directories{"/usr/bin", "/usr/local/bin"};
    std::error_code error;
    const char* home = ::getenv("HOME");
    for (const auto& entry :
         fs::directory_iterator(std::string(home != nullptr ? home : "") + "/.pyenv/versions", error)) {
      directories.push_back(entry.path() / "bin");
    }
    std::set<std::string> paths;
    const std::regex name("python[23](\\.[0-9]+)?");
    for (const auto& directory : directories) {
      for (const auto& entry : fs::directory_iterator(directory, error)) {
        if (std::regex_match(entry.path().filename().string(), name))
          paths.insert(fs::canonical(entry.path(), error));
      }
    }
    std::istringstream more(::getenv("CONNLEAK_PYTHONS") != nullptr ? ::getenv("CONNLEAK_PYTHONS") : "");
    for (std::string path; std::getline(more, path, ':');) paths.insert(path);
    std::vector<Installed> found;
    for (const std::string& path : paths) {
      if (auto python = ask_version(path)) found.push_back(*std::move(python));
    }
    return found;
  }();
  return all;
}

std::vector<std::string> subject(const Installed& python) {
  std::ifstream in(script_path("subject.py"));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return {python.path, "-c", kBoot, text, "/srv/shop/orders.py"};
}

// The table and the lines as Python itself reads them: "table HEX FIRST START END LINE ...".
void check_table(const Installed& python, const std::vector<std::string>& fields) {
  std::vector<std::byte> table;
  for (std::size_t i = 0; i + 1 < fields[1].size(); i += 2) {
    table.push_back(static_cast<std::byte>(std::stoul(fields[1].substr(i, 2), nullptr, 16)));
  }
  const auto first = static_cast<std::int32_t>(std::stol(fields[2]));
  const auto line_of = python.minor == 9    ? line_of_lnotab
                       : python.minor == 10 ? line_of_ranges
                                            : line_of_locations;
  std::istringstream ranges(fields.size() > 3 ? fields[3] : "");
  std::int64_t begin = 0;
  std::int64_t end = 0;
  for (std::uint32_t line = 0; ranges >> begin >> end >> line;) {
    for (const std::int64_t offset : {begin, end - 2}) {
      INFO(fields[1] << " from " << first << " at " << offset << " of " << begin << " to " << end);
      REQUIRE(line_of(table, first, offset).value_or(0) == line);
    }
  }
}

void check_place(const UnderstoodScript& script) {
  const auto walked = script.walk(script.said.thread_pointer);
  // The second time comes out of the cache.
  for (int time = 0; time < 2; ++time) {
    const auto named = script.name(walked);
    auto said = script.said.frames;
    INFO("named" << to_text(as_said(named)) << "said" << to_text(said));
    REQUIRE_FALSE(named.empty());
    if (walked.size() == SCRIPT_FRAMES && said.size() > named.size()) said.resize(named.size());
    REQUIRE(as_said(named) == said);
    CHECK(std::ranges::all_of(named, [](const SymbolFrame& f) { return f.language == Language::python; }));
  }
}

}  // namespace

TEST_CASE("Frames of a Python script are named as it names them", "[python]") {
  if (std::ranges::none_of(pythons(), &Installed::understood)) {
    FAIL("no Python from 3.9 to 3.15 in /usr/bin, /usr/local/bin or ~/.pyenv: install python3");
  }
  for (const Installed& python : pythons()) {
    if (!python.understood()) continue;
    DYNAMIC_SECTION(python.path << " is 3." << python.minor) {
      UnderstoodScript script(subject(python));
      CHECK(script.interpreter->version().starts_with("Python 3." + std::to_string(python.minor)));
      int places = 0;
      std::size_t tables = 0;
      SaidPlace& said = script.said;
      do {
        for (const auto& fields : said.others) check_table(python, fields);
        tables += said.others.size();
        if (!said.frames.empty()) {
          check_place(script);
          ++places;
        }
        script.process.go_on();
      } while (script.process.next(said));
      UNSCOPED_INFO(places << " places, " << tables << " tables");
      CHECK(places >= 20);
      CHECK(tables > 200);
    }
  }
}

TEST_CASE("A Python that is not understood is said to be one", "[python]") {
  for (const Installed& python : pythons()) {
    if (python.understood()) continue;
    ScriptProcess process(
        {python.path, "-c", "import os,sys; sys.stdout.write('ready\\n'); sys.stdout.flush(); os.read(0, 1)"});
    SaidPlace said;
    REQUIRE(process.next(said));
    const auto found = find_interpreter(process.files(), process.memory());
    INFO(python.path << ": " << found.why_not);
    CHECK_FALSE(found.interpreter);
    CHECK_FALSE(found.not_yet);
    CHECK(found.why_not.find("is not understood") != std::string::npos);
  }
}

TEST_CASE("A Python that has not started is to be looked at again", "[python]") {
  for (const Installed& python : pythons()) {
    if (!python.understood()) continue;
    const UnderstoodScript script(subject(python));
    INFO(python.path);
    CHECK(script.why_not_yet().find("has not started yet") != std::string::npos);
  }
}

TEST_CASE("Memory of a Python that lies or changes ends in fewer frames, nothing worse", "[python]") {
  for (const Installed& python : pythons()) {
    if (!python.understood()) continue;
    DYNAMIC_SECTION(python.path << " is 3." << python.minor) {
      UnderstoodScript script(subject(python));
      for (int i = 0; i < 3; ++i) {
        script.process.go_on();
        REQUIRE(script.process.next(script.said));
      }
      CapturedMemory captured(script.process.memory());
      const auto honest = find_interpreter(script.files, captured);
      REQUIRE(honest.interpreter);
      const auto pointer = script.said.thread_pointer;
      const auto frames = walk_frames(honest.interpreter->layout(), captured, pointer);
      const auto names = as_said(honest.interpreter->name(captured, frames));
      REQUIRE(names == script.said.frames);
      captured.close();
      int same = 0;
      for (unsigned seed = 0; seed < 2000; ++seed) {
        const CorruptMemory corrupt(captured, seed, 1 + seed % 40);
        if (seed % 20 == 0) (void)find_interpreter(script.files, corrupt);
        auto& interpreter = *honest.interpreter;
        const auto walked = walk_frames(interpreter.layout(), corrupt, pointer);
        const auto named = interpreter.name(corrupt, seed % 2 == 0 ? walked : frames);
        CHECK(named.size() <= SCRIPT_FRAMES);
        if (as_said(named) == names) ++same;
      }
      INFO(same << " of 2000 were right all the same");
      CHECK(same < 2000);
    }
  }
}
