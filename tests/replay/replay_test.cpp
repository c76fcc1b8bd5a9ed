// SPDX-License-Identifier: Apache-2.0
// A recording gives the report beside it, whoever reads it and in whatever pieces.
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "events/recording.hpp"
#include "export/json.hpp"
#include "report/pipeline.hpp"

namespace {

using namespace connleak;
namespace fs = std::filesystem;

const fs::path kFolder = fs::path(CONNLEAK_SOURCE_DIR) / "tests" / "replay";

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Hands records on one by one.
class OneByOne final : public ByteSink {
 public:
  explicit OneByOne(ByteSink& next) : next_(next) {}
  void records(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      wire_header header;
      std::memcpy(&header, bytes.data(), sizeof header);
      next_.records(bytes.first(header.size));
      bytes = bytes.subspan(header.size);
    }
  }

 private:
  ByteSink& next_;
};

std::string replay(const fs::path& recording, bool one_by_one, SourceState& state,
                   const CulpritRules& rules = {}) {
  auto source = RecordingSource::open(recording.string());
  REQUIRE(source.has_value());
  DetectOptions options;
  options.idle_after = std::chrono::milliseconds(300);
  Pipeline pipeline(ModelOptions{false, rules}, options, (*source)->preamble(), nullptr);
  OneByOne pieces(pipeline);
  state = SourceState::more;
  while (state == SourceState::more) {
    auto polled =
        (*source)->poll(one_by_one ? static_cast<ByteSink&>(pieces) : pipeline, std::chrono::milliseconds(0));
    REQUIRE(polled.has_value());
    state = *polled;
  }
  pipeline.finish();
  return to_json(pipeline.snapshot("0.0.0", Suppressions(), state == SourceState::truncated));
}

}  // namespace

TEST_CASE("a recording gives its report, every time and in any pieces", "[replay]") {
  const std::string name =
      GENERATE("never-closed", "healthy-pool", "half-closed", "wrong-process", "closed-by-gc", "open-transaction",
               "abandoned-result", "never-returned", "dead-owner", "pool-per-request", "never-used", "saturated");
  CAPTURE(name);
  const fs::path recording = kFolder / "recordings" / (name + ".rec");
  const fs::path expected = kFolder / "expected" / (name + ".json");
  SourceState state{};
  const std::string report = replay(recording, false, state);
  CHECK(state == SourceState::ended);
  if (std::getenv("CONNLEAK_UPDATE_GOLDEN") != nullptr) std::ofstream(expected, std::ios::binary) << report;
  CHECK(report == content(expected));
  CHECK(replay(recording, false, state) == report);
  CHECK(replay(recording, true, state) == report);
}

TEST_CASE("what the recordings prove is said in the reports", "[replay]") {
  SourceState state{};
  const std::string leak = replay(kFolder / "recordings" / "never-closed.rec", false, state);
  CHECK(leak.find("\"rule\": \"L1\"") != std::string::npos);
  CHECK(leak.find("\"function\": \"find_order\"") != std::string::npos);
  CHECK(leak.find("\"leak\": 20") != std::string::npos);
  const std::string pool = replay(kFolder / "recordings" / "healthy-pool.rec", false, state);
  CHECK(pool.find("\"verdict\"") == std::string::npos);
  CHECK(pool.find("\"connections_open\": 10") != std::string::npos);
  const std::pair<const char*, const char*> rules[] = {
      {"half-closed", "L7"},      {"wrong-process", "L6"},  {"closed-by-gc", "L8"}, {"open-transaction", "L3"},
      {"abandoned-result", "L4"}, {"never-returned", "L2"}, {"dead-owner", "L5"},   {"pool-per-request", "L9"},
      {"never-used", "L10"},      {"saturated", "L1"}};
  for (const auto& [name, rule] : rules) {
    CAPTURE(name);
    const std::string report = replay(kFolder / "recordings" / (std::string(name) + ".rec"), false, state);
    CHECK(report.find("\"rule\": \"" + std::string(rule) + "\"") != std::string::npos);
  }
}

TEST_CASE("what a user says of frames goes for recordings, too", "[replay]") {
  const fs::path recording = kFolder / "recordings" / "never-closed.rec";
  SourceState state{};
  const auto with = [&](CulpritRules::Role role) {
    CulpritRules rules;
    REQUIRE(rules.add(role, "find_*").has_value());
    return replay(recording, false, state, rules);
  };
  CHECK(replay(recording, false, state).find("\"culprit\": {") != std::string::npos);
  const std::string helper = with(CulpritRules::Role::helper);
  CHECK(helper.find("\"culprit\": {") == std::string::npos);
  CHECK(helper.find("\"leak\": 20") != std::string::npos);
  CHECK(with(CulpritRules::Role::library).find("\"culprit\": {") == std::string::npos);
}

TEST_CASE("a cut recording is read to its last whole frame and is not complete", "[replay]") {
  const std::string whole = content(kFolder / "recordings" / "never-closed.rec");
  const fs::path cut = fs::temp_directory_path() / ("connleak-replay-" + std::to_string(::getpid()) + ".rec");
  std::ofstream(cut, std::ios::binary) << whole.substr(0, whole.size() * 2 / 3);
  SourceState state{};
  const std::string report = replay(cut, false, state);
  fs::remove(cut);
  CHECK(state == SourceState::truncated);
  CHECK(report.find("\"complete\": false") != std::string::npos);
}
