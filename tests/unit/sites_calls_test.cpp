// SPDX-License-Identifier: Apache-2.0
// Behind calls, and where functions return.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include "sites/code_file.hpp"

using namespace connleak;
using connleak::test::CodeFile;
using connleak::test::sites_subject;

namespace {

const CodeFile& places() {
  static const CodeFile file(sites_subject("places.so"));
  return file;
}

std::vector<CallSite> behind_calls(const std::string& name) {
  const auto sites = after_call_sites(places().image(), places().function(name), places().address("callee"),
                                      {Register::ax, Register::bx}, Abi::go);
  if (!sites) FAIL(sites.error().message);
  return *sites;
}

std::string why_not(const std::string& name) {
  const auto sites = behind_calls(name);
  REQUIRE(sites.size() == 1);
  return sites[0].site ? "a site: " + sites[0].site->instruction : sites[0].site.error().message;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the results of a call are read at the first emulated instruction behind it", "[sites]") {
  const std::string name = GENERATE("called_and_tested", "called_and_spilled", "called_then_called");
  const auto sites = behind_calls(name);
  REQUIRE(sites.size() == 1);
  CAPTURE(name, sites[0].site ? sites[0].site->instruction : sites[0].site.error().message);
  REQUIRE(sites[0].site);
  CHECK(sites[0].site->emulated);
  CHECK(sites[0].site->address == places().address(name + ".site"));
  CHECK(sites[0].site->slid == sites[0].site->address - sites[0].call - 5);
}

TEST_CASE("where results are moved or paths join first, they are read at once, single-stepped", "[sites]") {
  const std::string name = GENERATE("called_and_moved", "called_and_joined");
  const auto sites = behind_calls(name);
  REQUIRE(sites.size() == 1);
  REQUIRE(sites[0].site);
  CAPTURE(name, sites[0].site->instruction, sites[0].site->obstacle);
  CHECK(!sites[0].site->emulated);
  CHECK(sites[0].site->slid == 0);
  CHECK(sites[0].site->address == places().address(name + ".site"));
  CHECK(says(sites[0].site->obstacle, name == "called_and_moved" ? "changes rax" : "can be reached otherwise"));
}

TEST_CASE("a place behind a call that is reached without the call is skipped", "[sites]") {
  CHECK(says(why_not("joined_at_once"), "can be reached otherwise"));
  CHECK(says(why_not("called_among_cases"), "may lead behind the call"));
  CHECK(says(why_not("called_last"), "ends with the call"));
}

TEST_CASE("each call is found, calls of others are not", "[sites]") {
  const auto sites = behind_calls("called_twice");
  REQUIRE(sites.size() == 2);
  CHECK(sites[0].call == places().address("called_twice"));
  CHECK(sites[0].site->address == sites[0].call + 5);
  CHECK(sites[1].site->address == sites[1].call + 5);
  CHECK(sites[0].call < sites[1].call);
  CHECK(behind_calls("go_small").empty());
}

TEST_CASE("all returns of a function are found, single-stepped", "[sites]") {
  const auto sites = return_sites(places().image(), places().function("returns_thrice"));
  REQUIRE(sites);
  REQUIRE(sites->size() == 3);
  for (const Site& site : *sites) {
    CAPTURE(site.instruction);
    CHECK(!site.emulated);
    CHECK(site.instruction.starts_with("ret"));
    CHECK(is_unchanged(places().image(), site));
  }
  CHECK((*sites)[1].bytes.size() == 2);
  CHECK((*sites)[2].bytes.size() == 3);
}

TEST_CASE("a function that is left by a jump has no list of returns", "[sites]") {
  const auto why = [](const std::string& name) {
    const auto sites = return_sites(places().image(), places().function(name));
    return sites ? "sites" : sites.error().message;
  };
  CHECK(says(why("leaves_by_jump"), "may leave the function"));
  CHECK(says(why("leaves_by_register"), "may leave the function"));
  CHECK(says(why("never_returns"), "never returns"));
  CHECK(says(why("cut_off"), "no instruction"));
}
