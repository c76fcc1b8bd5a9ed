// SPDX-License-Identifier: Apache-2.0
// What this host allows, and what would be probed in a process.
#include "probes/doctor.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "app/commands.hpp"
#include "app/driver_probes.hpp"
#include "app/outcome.hpp"
#include "probes/process_info.hpp"
#include "probes/site_costs.hpp"
#include "symbols/symbolizer.hpp"
#include "views/doctor.hpp"

namespace connleak {

namespace {

std::string site_text(const PlannedSite& planned, const Result<SiteCosts>& costs) {
  if (!planned.site) return planned.why_not;
  const Site& site = *planned.site;
  std::string text = fmt::format("{}, {}", site.instruction, site.emulated ? "emulated" : "single-stepped");
  if (site.slid != 0) text += fmt::format(", {} bytes behind", site.slid);
  if (costs)
    text += fmt::format(", {:.2g} us a hit", (site.emulated ? costs->emulated_ns : costs->stepped_ns) / 1000);
  if (!site.obstacle.empty()) text += fmt::format(" ({})", site.obstacle);
  return text;
}

// nullopt: there is no such process, or it is not ours to look at.
std::optional<std::string> sites_of(std::uint32_t pid, const Result<SiteCosts>& costs) {
  const auto start_ns = read_start_ns(pid);
  if (!start_ns) return std::nullopt;
  Symbolizer symbolizer;
  symbolizer.process_seen(pid, *start_ns);
  DriverProbes probes(symbolizer, [](auto, auto, auto) { return Result<void>{}; }, [](auto) {});
  probes.look(pid, *start_ns);
  std::vector<SiteGroup> groups;
  for (const PlacedPlan& placed : probes.placed(pid)) {
    const std::string why_not = placed.plan.why_not.empty() ? placed.refused : placed.plan.why_not;
    SiteGroup group{placed.plan.driver, placed.path, why_not, {}};
    for (const PlannedSite& planned : placed.plan.sites)
      group.sites.push_back({planned.purpose, planned.function, planned.site.has_value() && why_not.empty(),
                             site_text(planned, costs)});
    groups.push_back(std::move(group));
  }
  return render_sites(pid, groups);
}

}  // namespace

Result<int> doctor_command(const Options& options) {
  std::vector<DoctorLine> lines;
  bool able = true;
  for (const Check& check : doctor()) {
    lines.push_back({check.name, check.ok, check.required, check.consequence});
    able = able && (check.ok || !check.required);
  }
  const SymbolizerLimits symbols;
  lines.push_back({"symbol caches", true, false,
                   fmt::format("up to {} MiB of tables and answers, {} addresses, {} open files",
                               symbols.bytes >> 20, symbols.addresses, symbols.modules)});
  const auto costs = measure_site_costs();
  lines.push_back(
      {"driver probes", costs.has_value(), false,
       costs
           ? fmt::format("a hit costs {:.2g} us at an instruction that the kernel emulates, {:.2g} us at another",
                         costs->emulated_ns / 1000, costs->stepped_ns / 1000)
           : fmt::format("none: {}; leases and pools are not seen", costs.error().message)});
  std::string text = render_doctor(lines);
  for (const std::uint32_t pid : options.scope.pids) {
    const auto sites = sites_of(pid, costs);
    if (!sites) return failure(ErrorKind::usage, fmt::format("There is no process {}.", pid));
    text += *sites;
  }
  if (auto written = write_stream(STDOUT_FILENO, text); !written) return tl::unexpected(written.error());
  return able ? 0 : kExitUnsupported;
}

}  // namespace connleak
