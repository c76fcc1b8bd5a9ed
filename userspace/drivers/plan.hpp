// SPDX-License-Identifier: Apache-2.0
// Which instructions of a file are probed, for what, and which are not and why.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sites/sites.hpp"
#include "symbols/elf_image.hpp"
#include "symbols/go_table.hpp"

namespace connleak {

// What is known of, as it is called in reports and by --probes.
inline constexpr auto kDriverNames =
    std::to_array<std::string_view>({"libpq", "libmysqlclient", "hiredis", "database/sql", "pgxpool"});

struct PlannedSite {
  std::string function;
  std::string purpose;       // "connect", "finish", "acquire", "release"
  std::optional<Site> site;  // nullopt: skipped
  std::string why_not;       // of a skipped one; completes "skipped: "
  std::uint64_t cookie = 0;  // driver_cookie()
};

struct Plan {
  std::string driver;  // one of kDriverNames
  std::vector<PlannedSite> sites;
  // "": it is probed. Else nothing of it is, for one without the other would say what is not so: connections that
  // are never given back.
  std::string why_not;
};

// Of all drivers and pools that the file has, by its functions; its name is not looked at. `go`: nullptr where it
// is not Go's. Bounded by the size of its symbol tables.
[[nodiscard]] std::vector<Plan> plan_file(const ElfImage& image, const GoTable* go);

// For the inside of this folder.
[[nodiscard]] std::vector<Plan> plan_c_drivers(const ElfImage& image);
[[nodiscard]] std::vector<Plan> plan_go_pools(const ElfImage& image, const GoTable& go);

// Skipped, or where it is.
[[nodiscard]] PlannedSite planned(std::string function, std::string purpose, std::uint64_t cookie,
                                  const Result<Site>& site);

}  // namespace connleak
