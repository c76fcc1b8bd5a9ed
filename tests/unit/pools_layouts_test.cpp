// SPDX-License-Identifier: Apache-2.0
// Where pools are, by version and by the programs' own description.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>

#include "pools/subject.hpp"
#include "temporary_directory.hpp"

namespace connleak {
namespace {

using test::GoProgram;
using test::pool_programs;

// A copy of the program in which `from` is `to` wherever the build information has it.
std::string altered(const test::TemporaryDirectory& directory, const std::string& path, std::string_view from,
                    std::string_view to) {
  REQUIRE(from.size() == to.size());
  std::string bytes = test::content_of(path);
  const auto start = bytes.find("\xff Go buildinf:\x08\x02");
  REQUIRE(start != std::string::npos);
  const std::string_view info = std::string_view(bytes).substr(start, 4096);
  int found = 0;
  for (auto at = info.find(from); at != std::string_view::npos; at = info.find(from, at + 1), ++found)
    std::ranges::copy(to, bytes.begin() + static_cast<std::ptrdiff_t>(start + at));
  REQUIRE(found > 0);
  const std::string copy = directory.file("altered");
  test::put_content(copy, bytes);
  return copy;
}

TEST_CASE("Go's releases have a layout each, other versions none", "[pools]") {
  const auto old = known_sql_layout("go1.19.8");
  const auto current = known_sql_layout("go1.26.8");
  REQUIRE(old);
  REQUIRE(current);
  CHECK(old->requests_are == SqlRequests::map);
  CHECK(current->requests_are == SqlRequests::set);
  CHECK(known_sql_layout("go1.19") == old);
  CHECK(known_sql_layout("go1.20.14") == old);  // between two that agree
  CHECK(known_sql_layout("go1.22.5 X:boringcrypto") == old);
  CHECK(known_sql_layout("go1.23.0") == current);
  CHECK(known_sql_layout("go1.26.99") == current);
  for (const char* version : {"", "go", "go1", "go1.", "go1.18.10", "go1.99.0", "go2.20.0", "go1.27rc1",
                              "go1.24.4-fork", "go1.24.4 (Red Hat 1.24.4-1)", "devel go1.27-0a1b2c3", "go1.-20",
                              "go1.26.8.1", "1.26.8", "go1.99999999999999999999"}) {
    CAPTURE(version);
    CHECK_FALSE(known_sql_layout(version));
  }
}

TEST_CASE("releases of pgx and puddle have a layout each, other versions none", "[pools]") {
  const auto cond = known_pgx_layout("v5.0.4", "v2.0.1");
  const auto plain = known_pgx_layout("v5.5.5", "v2.2.1");
  const auto timed = known_pgx_layout("v5.7.6", "v2.2.2");
  REQUIRE(cond);
  REQUIRE(plain);
  REQUIRE(timed);
  CHECK(cond->pool.locker == 0);
  CHECK(cond->pool.semaphore == kNoOffset);
  CHECK(plain->pool.locker == kNoOffset);
  CHECK(plain->pool.empty_time == kNoOffset);
  CHECK(timed->pool.empty_time != kNoOffset);
  CHECK(known_pgx_layout("v5.8.0", "v2.2.2") == timed);
  CHECK(known_pgx_layout("v5.12.7", "v2.2.2"));
  for (const auto& [pgx, puddle] : std::initializer_list<std::pair<const char*, const char*>>{
           {"v5.7.6", "v2.2.99"},
           {"v5.99.0", "v2.2.2"},
           {"v6.0.0", "v2.2.2"},
           {"v4.18.3", "v1.3.0"},
           {"v5.0.0-beta.1", "v2.0.0"},
           {"v5.7.7-0.20250801000000-0123456789ab", "v2.2.2"},
           {"v5.7.6", "example.com/puddle v2.2.2"},
           {"v5.7.6", ""},
           {"(devel)", "v2.2.2"}}) {
    CAPTURE(pgx, puddle);
    CHECK_FALSE(known_pgx_layout(pgx, puddle));
  }
}

TEST_CASE("what Go programs say of their structures is what the tables have", "[pools][go]") {
  int compared = 0;
  for (const char* kind : {"sql", "pgx"}) {
    for (const auto& path : pool_programs(kind)) {
      const GoProgram program(path);
      const auto structs = find_go_structs(*program.image, pool_struct_names());
      const auto info = read_go_build_info(*program.image);
      CAPTURE(path, structs.size());
      REQUIRE(info);
      CHECK(structs.empty() == path.ends_with("stripped"));
      if (structs.empty()) continue;
      ++compared;
      if (kind == std::string_view("sql")) {
        CHECK(described_sql_layout(structs).has_value());
        CHECK(described_sql_layout(structs) == known_sql_layout(info->version));
        CHECK_FALSE(described_pgx_layout(structs));
        continue;
      }
      const auto* pgx = info->module("github.com/jackc/pgx/v5");
      const auto* puddle = info->module("github.com/jackc/puddle/v2");
      REQUIRE(pgx != nullptr);
      REQUIRE(puddle != nullptr);
      CHECK(described_pgx_layout(structs).has_value());
      CHECK(described_pgx_layout(structs) == known_pgx_layout(pgx->version, puddle->version));
    }
  }
  CHECK(compared > 0);
}

TEST_CASE("a version that is in no table is read by debug information, or not at all", "[pools][go]") {
  const test::TemporaryDirectory directory;
  for (const auto& path : pool_programs("sql")) {
    const GoProgram known(path);
    const auto version = read_go_build_info(*known.image).value().version;
    const auto minor = version.substr(0, version.find('.', 4));
    const GoProgram program(altered(directory, path, minor + ".", "go1.99."));
    const auto pools = GoPools::find(*program.image);
    CAPTURE(path, pools.why_not(PoolKind::sql), pools.basis(PoolKind::sql));
    CHECK(pools.why_not(PoolKind::pgx) == "it has no pgx v5");
    if (path.ends_with("stripped")) {
      CHECK(pools.why_not(PoolKind::sql).find("go1.99.") != std::string::npos);
      CHECK_FALSE(pools.read(PoolKind::sql, ProcessMemory(-1), 8));
      continue;
    }
    REQUIRE(pools.why_not(PoolKind::sql).empty());
    CHECK(pools.basis(PoolKind::sql).ends_with(", by its debug information"));
    test::PoolSubject subject(path);
    const auto said = subject.ask("0 take 3");
    const auto reading = pools.read(PoolKind::sql, subject.memory(), test::address_of(said[0]["address"]));
    REQUIRE(reading);
    CHECK(reading->numbers.in_use == 3);
  }
  for (const auto& path : pool_programs("pgx")) {
    const GoProgram program(altered(directory, path, "pgx/v5\tv5.", "pgx/v5\tv9."));
    const auto pools = GoPools::find(*program.image);
    CAPTURE(path, pools.why_not(PoolKind::pgx), pools.basis(PoolKind::pgx));
    CHECK(pools.why_not(PoolKind::sql).empty());
    CHECK(pools.why_not(PoolKind::pgx).empty() == path.ends_with("plain"));
    CHECK(pools.basis(PoolKind::pgx).starts_with("pgx v9."));
  }
}

TEST_CASE("build information names the toolchain and the modules, with sections and without", "[pools][go]") {
  const test::TemporaryDirectory directory;
  auto paths = pool_programs("pgx");
  paths.erase(paths.begin(), paths.end() - 2);  // of one toolchain
  for (const auto& path : paths) {
    const std::string copy = directory.file("sectionless");
    std::string bytes = test::content_of(path);
    // e_shoff, e_shentsize, e_shnum, e_shstrndx of Elf64_Ehdr.
    std::fill_n(bytes.begin() + 40, 8, '\0');
    std::fill_n(bytes.begin() + 58, 6, '\0');
    test::put_content(copy, bytes);
    for (const auto& one : {path, copy}) {
      CAPTURE(one);
      const GoProgram program(one);
      const auto info = read_go_build_info(*program.image);
      REQUIRE(info);
      CHECK(info->version.starts_with("go1."));
      CHECK(info->main.path == "pools.test/pgx");
      const auto* module = info->module("github.com/jackc/pgx/v5");
      REQUIRE(module != nullptr);
      CHECK(module->version == "v5.7.4");
      CHECK(info->module("github.com/jackc/pgx") == nullptr);
      CHECK(GoPools::find(*program.image).why_not(PoolKind::pgx).empty());
    }
  }
}

}  // namespace
}  // namespace connleak
