// SPDX-License-Identifier: Apache-2.0
// The code that is probed: Go's database/sql and the system's driver libraries.
#include <dlfcn.h>

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <map>

#include "sites/code_file.hpp"

using namespace connleak;
using connleak::test::CodeFile;
using connleak::test::NamedFunction;

namespace {

const CodeFile& go_sql() {
#ifndef CONNLEAK_HAVE_GO
  SKIP("go was not found when the build was configured");
#endif
  static const CodeFile file(test::sites_subject("go_sql"));
  return file;
}

constexpr RegisterSet kArguments = {Register::ax, Register::bx, Register::r14, Register::sp};

bool is_branch(const Site& site) { return site.emulated && site.instruction.starts_with("j"); }

}  // namespace

TEST_CASE("database/sql: taking and putting back a connection are seen at the stack check", "[sites][go]") {
  const std::string name = GENERATE("database/sql.(*DB).conn", "database/sql.(*DB).putConn");
  const auto site = entry_site(go_sql().image(), go_sql().function(name), kArguments, Abi::go);
  CAPTURE(name, site ? site->instruction : site.error().message);
  REQUIRE(site);
  CHECK(is_branch(*site));
  CHECK(site->may_repeat);
  CHECK(site->slid > 0);
  CHECK(site->stack_moved == 0);
}

TEST_CASE("database/sql: who takes a connection is seen behind each call of conn", "[sites][go]") {
  const CodeFile& file = go_sql();
  const std::uint64_t conn = file.function("database/sql.(*DB).conn").address;
  std::map<std::string, std::size_t> found;
  for (const NamedFunction& function : file.functions()) {
    if (!function.name.starts_with("database/sql.") || function.range.size == 0) continue;
    CAPTURE(function.name);
    const auto sites =
        after_call_sites(file.image(), function.range, conn, {Register::ax, Register::bx, Register::r14}, Abi::go);
    CAPTURE(sites ? "" : sites.error().message);
    REQUIRE(sites);
    for (const CallSite& call : *sites) {
      CAPTURE(call.site ? call.site->instruction : call.site.error().message);
      REQUIRE(call.site);
      // What Go 1.19 inlines into Ping and Conn moves the results first.
      const bool inlined = function.name.ends_with("PingContext") || function.name.ends_with("Conn");
      CHECK((is_branch(*call.site) || inlined));
      ++found[function.name];
    }
  }
  for (const char* caller : {"query", "exec", "begin", "prepare"}) {
    CAPTURE(caller);
    CHECK(found[std::string("database/sql.(*DB).") + caller] == 1);
  }
  CHECK(found["database/sql.(*Stmt).connStmt"] == 1);
  for (const char* caller : {"PingContext", "Conn"}) {
    CAPTURE(caller);
    const std::string name = std::string("database/sql.(*DB).") + caller;
    CHECK(found[name] + found[name + ".func1"] >= 1);
  }
}

TEST_CASE("database/sql: conn returns at several places, each a plain ret", "[sites][go]") {
  const FunctionRange conn = go_sql().function("database/sql.(*DB).conn");
  const auto sites = return_sites(go_sql().image(), conn);
  CAPTURE(sites ? "" : sites.error().message);
  REQUIRE(sites);
  CHECK(sites->size() >= 5);
  for (const Site& site : *sites) CHECK(site.bytes == std::vector{std::byte{0xc3}});
}

TEST_CASE("nearly every function of a Go program has an emulated entry", "[sites][go]") {
  std::size_t placed = 0, emulated = 0, all = 0;
  for (const NamedFunction& function : go_sql().functions()) {
    if (function.range.size == 0) continue;
    ++all;
    const auto site = entry_site(go_sql().image(), function.range, kArguments, Abi::go);
    if (!site) continue;
    ++placed;
    emulated += site->emulated ? 1 : 0;
    if (!is_unchanged(go_sql().image(), *site)) FAIL(function.name << " " << site->instruction);
  }
  CAPTURE(all, placed, emulated);
  CHECK(placed > all * 98 / 100);
  CHECK(emulated > all * 3 / 4);
}

TEST_CASE("the functions of driver libraries have sites", "[sites]") {
  struct Library {
    const char* name;
    std::vector<const char*> functions;
  };
  const Library library =
      GENERATE(Library{"libpq.so.5", {"PQconnectPoll", "PQfinish", "PQreset"}},
               Library{"libmariadb.so.3", {"mysql_real_connect", "mysql_close"}},
               Library{"libssl.so.3", {"SSL_read", "SSL_write", "SSL_read_ex", "SSL_write_ex", "SSL_free"}});
  void* loaded = ::dlopen(library.name, RTLD_NOW | RTLD_LOCAL);
  if (loaded == nullptr) SKIP("there is no " << library.name);
  Dl_info info{};
  REQUIRE(::dladdr(::dlsym(loaded, library.functions.front()), &info) != 0);
  const CodeFile file(info.dli_fname);
  for (const char* name : library.functions) {
    const FunctionRange range = file.function(name);
    CHECK(range.address == reinterpret_cast<std::uintptr_t>(::dlsym(loaded, name)) -
                               reinterpret_cast<std::uintptr_t>(info.dli_fbase));
    const auto site = entry_site(file.image(), range, {Register::di, Register::si, Register::dx}, Abi::system_v);
    CAPTURE(name, site ? site->instruction : site.error().message);
    REQUIRE(site);
    CHECK(range.contains(site->address));
    CHECK(is_unchanged(file.image(), *site));
    // All but OpenSSL's, which open a frame and call at once.
    CHECK((site->emulated || std::string_view(name).ends_with("_ex")));
  }
  ::dlclose(loaded);
}
