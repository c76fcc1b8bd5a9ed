// SPDX-License-Identifier: Apache-2.0
// What would be probed in real drivers and pools, and in files that have none.
#include <dlfcn.h>
#include <link.h>

#include <catch2/catch_test_macros.hpp>
#include <map>
#include <set>

#include "drivers.h"
#include "drivers/plan.hpp"
#include "sites/code_file.hpp"

namespace connleak::test {

namespace {

// Where the loader finds it.
std::string path_of(const char* soname) {
  void* library = ::dlopen(soname, RTLD_NOW | RTLD_LOCAL);
  REQUIRE(library != nullptr);
  link_map* map = nullptr;
  REQUIRE(::dlinfo(library, RTLD_DI_LINKMAP, static_cast<void*>(&map)) == 0);
  return map->l_name;
}

std::uint64_t role_of(const PlannedSite& site) { return site.cookie & 255; }

}  // namespace

TEST_CASE("C drivers: a handle's connect and its end are probed, at instructions that the kernel emulates",
          "[drivers]") {
  const std::map<const char*, const char*> libraries = {{"libpq.so.5", "libpq"},
                                                        {"libmariadb.so.3", "libmysqlclient"}};
  for (const auto& [soname, driver] : libraries) {
    const CodeFile file(path_of(soname));
    const auto plans = plan_file(file.image(), nullptr);
    CAPTURE(soname);
    REQUIRE(plans.size() == 1);
    CHECK(plans[0].driver == driver);
    CHECK(plans[0].why_not == "");
    std::set<std::uint64_t> roles;
    for (const PlannedSite& site : plans[0].sites) {
      CAPTURE(site.function, site.why_not);
      REQUIRE(site.site);
      CHECK(site.site->emulated);
      CHECK((site.cookie >> 24 & 255) == static_cast<std::uint64_t>(Register::di));
      CHECK((site.cookie >> 16 & 255) == WIRE_OBJECT_HANDLE);
      roles.insert(role_of(site));
    }
    CHECK(roles == std::set<std::uint64_t>{ROLE_CONNECTING, ROLE_FINISHED});
  }
}

TEST_CASE("a library that is no driver's has no plan", "[drivers]") {
  const CodeFile file(path_of("libc.so.6"));
  CHECK(plan_file(file.image(), nullptr).empty());
}

TEST_CASE("database/sql: who takes a connection is known with what will hold it", "[drivers][go]") {
#ifndef CONNLEAK_HAVE_GO
  SKIP("go was not found when the build was configured");
#endif
  const CodeFile file(sites_subject("go_sql"));
  const auto layout = find_go_layout(file.image());
  REQUIRE(layout);
  const GoTable table(*layout);
  const auto plans = plan_file(file.image(), &table);
  REQUIRE(plans.size() == 1);
  CHECK(plans[0].driver == "database/sql");
  CHECK(plans[0].why_not == "");
  std::map<std::string, std::uint64_t> objects;
  std::size_t releases = 0;
  for (const PlannedSite& site : plans[0].sites) {
    CAPTURE(site.function, site.why_not);
    REQUIRE(site.site);
    CHECK((site.cookie >> 40 & 255) == static_cast<std::uint64_t>(Register::r14));
    if (role_of(site) == ROLE_RELEASED) {
      ++releases;
      CHECK(site.function == "database/sql.(*DB).putConn");
      continue;
    }
    REQUIRE(role_of(site) == ROLE_ACQUIRED);
    objects.emplace(site.function, site.cookie >> 16 & 255);
  }
  CHECK(releases == 1);
  CHECK(objects.at("database/sql.(*DB).query") == WIRE_OBJECT_ROWS);
  CHECK(objects.at("database/sql.(*DB).exec") == WIRE_OBJECT_CALL);
  CHECK(objects.at("database/sql.(*DB).begin") == WIRE_OBJECT_TRANSACTION);
}

TEST_CASE("Go functions are found by the beginnings of their names, each with its end", "[drivers][go]") {
#ifndef CONNLEAK_HAVE_GO
  SKIP("go was not found when the build was configured");
#endif
  const CodeFile file(sites_subject("go_sql"));
  const GoTable table(*find_go_layout(file.image()));
  constexpr auto kPrefixes = std::to_array<std::string_view>({"database/sql.(*DB).", "main.main"});
  const auto functions = table.functions(file.image(), kPrefixes);
  REQUIRE(functions.size() > 10);
  for (const GoFunction& function : functions) {
    CAPTURE(function.name);
    // Labels within have size 0 in the symbol table; padding counts here.
    const FunctionRange known = file.function(function.name);
    CHECK(known.address == function.address);
    CHECK(function.size >= known.size);
    CHECK(function.size < known.size + 64);
  }
  constexpr auto kNone = std::to_array<std::string_view>({"no/such.package"});
  CHECK(table.functions(file.image(), kNone).empty());
}

}  // namespace connleak::test
