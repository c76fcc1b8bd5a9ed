// SPDX-License-Identifier: Apache-2.0
// Drivers written in C: where a handle connects, and where it is given up.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "drivers.h"
#include "drivers/plan.hpp"
#include "symbols/elf_symbols.hpp"

namespace connleak {

namespace {

// All have the handle as their first argument.
struct Function {
  std::string_view name;
  wire_driver driver;
  driver_role role;
};

constexpr auto kFunctions = std::to_array<Function>({
    // Every way to connect or to reset comes through it, the blocking ones once for each step.
    {"PQconnectPoll", WIRE_DRIVER_LIBPQ, ROLE_CONNECTING},
    {"PQfinish", WIRE_DRIVER_LIBPQ, ROLE_FINISHED},
    {"mysql_real_connect", WIRE_DRIVER_MYSQL_C, ROLE_CONNECTING},
    {"mysql_close", WIRE_DRIVER_MYSQL_C, ROLE_FINISHED},
    // redisConnect and its variants make the context first and connect it by one of these.
    {"redisContextConnectTcp", WIRE_DRIVER_HIREDIS, ROLE_CONNECTING},
    {"redisContextConnectBindTcp", WIRE_DRIVER_HIREDIS, ROLE_CONNECTING},
    {"redisContextConnectUnix", WIRE_DRIVER_HIREDIS, ROLE_CONNECTING},
    {"redisFree", WIRE_DRIVER_HIREDIS, ROLE_FINISHED},
});

constexpr auto names_of(const auto& functions) {
  std::array<std::string_view, std::tuple_size_v<std::remove_cvref_t<decltype(functions)>>> names;
  std::ranges::transform(functions, names.begin(), &Function::name);
  return names;
}
constexpr auto kNames = names_of(kFunctions);

constexpr std::string_view name_of(wire_driver driver) {
  switch (driver) {
    case WIRE_DRIVER_LIBPQ:
      return "libpq";
    case WIRE_DRIVER_MYSQL_C:
      return "libmysqlclient";
    case WIRE_DRIVER_HIREDIS:
      return "hiredis";
    default:
      return "";
  }
}

std::uint64_t cookie_of(const Function& function, std::int32_t stack_moved) {
  return driver_cookie(static_cast<std::uint8_t>(function.role), static_cast<std::uint8_t>(function.driver),
                       WIRE_OBJECT_HANDLE, static_cast<std::uint8_t>(Register::di), DRIVER_NO_REGISTER,
                       DRIVER_NO_REGISTER, 0, static_cast<std::uint8_t>(stack_moved / 8));
}

void add(const ElfImage& image, const Function& function, const ElfVariable& place, Plan& plan) {
  const auto site = entry_site(image, {place.address, place.size}, {Register::di}, Abi::system_v);
  plan.sites.push_back(planned(std::string(function.name), function.role == ROLE_CONNECTING ? "connect" : "finish",
                               cookie_of(function, site ? site->stack_moved : 0), site));
}

// Both kinds, or none.
std::string missing(const Plan& plan) {
  for (const std::string_view purpose : {"connect", "finish"})
    if (std::ranges::none_of(plan.sites,
                             [&](const PlannedSite& site) { return site.purpose == purpose && site.site; }))
      return fmt::format("no place for a probe at its {}", purpose);
  return "";
}

}  // namespace

std::vector<Plan> plan_c_drivers(const ElfImage& image) {
  std::vector<Plan> plans;
  // Linked into a program they are in its own table, if that was left in it.
  const auto table = image.is_executable() ? SymbolTable::all : SymbolTable::exported;
  const auto places = find_functions(image, table, kNames);
  for (const wire_driver driver : {WIRE_DRIVER_LIBPQ, WIRE_DRIVER_MYSQL_C, WIRE_DRIVER_HIREDIS}) {
    Plan plan;
    plan.driver = name_of(driver);
    bool is_there = false;
    for (std::size_t i = 0; i < kFunctions.size(); ++i) {
      if (kFunctions[i].driver != driver || !places[i]) continue;
      is_there = true;
      add(image, kFunctions[i], *places[i], plan);
    }
    if (!is_there) continue;
    plan.why_not = missing(plan);
    plans.push_back(std::move(plan));
  }
  return plans;
}

}  // namespace connleak
