// SPDX-License-Identifier: Apache-2.0
// Pools of Go programs: where a connection is taken out and by what it is held, and where it is given back.
//
// database/sql/sql.go, Go 1.19 to 1.26; pgx/v5/pgxpool/{pool,conn}.go. Arguments and results are in registers
// (Go's cmd/compile/abi-internal.md): rax, rbx, rcx; the goroutine is in r14.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "drivers.h"
#include "drivers/plan.hpp"

namespace connleak {

namespace {

constexpr std::string_view kSql = "database/sql.";
constexpr std::string_view kPgx = "github.com/jackc/pgx/v5/pgxpool.";

constexpr RegisterSet kTaken = {Register::ax, Register::bx, Register::r14};

// What will hold the connection that a function of database/sql takes out. Functions within it have its name, a
// dot and more.
struct Taker {
  std::string_view function;
  wire_object object;
};
constexpr auto kTakers = std::to_array<Taker>({
    {"database/sql.(*DB).query", WIRE_OBJECT_ROWS},
    {"database/sql.(*DB).exec", WIRE_OBJECT_CALL},
    {"database/sql.(*DB).begin", WIRE_OBJECT_TRANSACTION},
    {"database/sql.(*DB).prepare", WIRE_OBJECT_STATEMENT},
    {"database/sql.(*DB).Conn", WIRE_OBJECT_CONNECTION},
    {"database/sql.(*DB).PingContext", WIRE_OBJECT_CALL},
    {"database/sql.(*Stmt).connStmt", WIRE_OBJECT_ROWS},
});

wire_object object_of(std::string_view function) {
  for (const Taker& taker : kTakers) {
    if (!function.starts_with(taker.function)) continue;
    const std::string_view rest = function.substr(taker.function.size());
    if (rest.empty() || rest.front() == '.') return taker.object;
  }
  return WIRE_OBJECT_UNKNOWN;
}

std::uint64_t cookie(driver_role role, wire_driver driver, wire_object object, Register handle,
                     std::uint8_t error = DRIVER_NO_REGISTER, std::uint8_t flags = 0) {
  return driver_cookie(static_cast<std::uint8_t>(role), static_cast<std::uint8_t>(driver),
                       static_cast<std::uint8_t>(object), static_cast<std::uint8_t>(handle), error,
                       static_cast<std::uint8_t>(Register::r14), flags, 0);
}

const GoFunction* find(const std::vector<GoFunction>& functions, std::string_view name) {
  const auto found = std::ranges::find(functions, name, &GoFunction::name);
  return found == functions.end() ? nullptr : &*found;
}

FunctionRange range_of(const GoFunction& function) { return {function.address, function.size}; }

// Behind each call of `callee` in `caller`.
void add_takers(const ElfImage& image, const GoFunction& caller, const GoFunction& callee, std::uint64_t cookie,
                Plan& plan) {
  const auto calls = after_call_sites(image, range_of(caller), callee.address, kTaken, Abi::go);
  if (!calls) {
    plan.sites.push_back({caller.name, "acquire", std::nullopt, calls.error().message, cookie});
    return;
  }
  for (const CallSite& call : *calls) plan.sites.push_back(planned(caller.name, "acquire", cookie, call.site));
}

// Who is seen to take a connection out must be seen to give it back.
std::string missing(const Plan& plan) {
  const auto has = [&](std::string_view purpose) {
    return std::ranges::any_of(plan.sites, [&](const auto& site) { return site.purpose == purpose && site.site; });
  };
  if (!has("release")) return "no place for a probe where connections are given back";
  if (!has("acquire")) return "no place for a probe where connections are taken out";
  return "";
}

std::optional<Plan> plan_sql(const ElfImage& image, const GoTable& go) {
  const auto functions = go.functions(image, std::array{kSql});
  const GoFunction* conn = find(functions, "database/sql.(*DB).conn");
  const GoFunction* put = find(functions, "database/sql.(*DB).putConn");
  if (conn == nullptr || put == nullptr) return std::nullopt;
  Plan plan;
  plan.driver = "database/sql";
  plan.sites.push_back(planned(put->name, "release",
                               cookie(ROLE_RELEASED, WIRE_DRIVER_GO_SQL, WIRE_OBJECT_UNKNOWN, Register::bx),
                               entry_site(image, range_of(*put), {Register::bx, Register::r14}, Abi::go)));
  for (const GoFunction& caller : functions) {
    if (&caller == conn) continue;
    add_takers(image, caller, *conn,
               cookie(ROLE_ACQUIRED, WIRE_DRIVER_GO_SQL, object_of(caller.name), Register::ax,
                      static_cast<std::uint8_t>(Register::bx)),
               plan);
  }
  plan.why_not = missing(plan);
  return plan;
}

// A pgxpool.Conn is made for each time that a connection is taken out: what stays is the resource, its first word;
// its second is the pool. What makes it is inlined, so that only the returns are left.
std::optional<Plan> plan_pgxpool(const ElfImage& image, const GoTable& go) {
  const auto functions = go.functions(image, std::array{kPgx});
  const GoFunction* acquire = find(functions, "github.com/jackc/pgx/v5/pgxpool.(*Pool).Acquire");
  const GoFunction* release = find(functions, "github.com/jackc/pgx/v5/pgxpool.(*Conn).Release");
  if (acquire == nullptr || release == nullptr) return std::nullopt;
  Plan plan;
  plan.driver = "pgxpool";
  plan.sites.push_back(planned(release->name, "release",
                               cookie(ROLE_RELEASED, WIRE_DRIVER_PGXPOOL, WIRE_OBJECT_UNKNOWN, Register::ax,
                                      DRIVER_NO_REGISTER, DRIVER_VIA),
                               entry_site(image, range_of(*release), {Register::ax, Register::r14}, Abi::go)));
  const std::uint64_t taken = cookie(ROLE_ACQUIRED, WIRE_DRIVER_PGXPOOL, WIRE_OBJECT_CONNECTION, Register::ax,
                                     static_cast<std::uint8_t>(Register::bx), DRIVER_VIA);
  const auto returns = return_sites(image, range_of(*acquire));
  if (!returns)
    plan.sites.push_back({acquire->name, "acquire", std::nullopt, returns.error().message, taken});
  else
    for (const Site& site : *returns) plan.sites.push_back({acquire->name, "acquire", site, "", taken});
  plan.why_not = missing(plan);
  return plan;
}

}  // namespace

std::vector<Plan> plan_go_pools(const ElfImage& image, const GoTable& go) {
  std::vector<Plan> plans;
  if (auto sql = plan_sql(image, go)) plans.push_back(*std::move(sql));
  if (auto pgx = plan_pgxpool(image, go)) plans.push_back(*std::move(pgx));
  return plans;
}

}  // namespace connleak
