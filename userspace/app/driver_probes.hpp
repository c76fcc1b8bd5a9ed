// SPDX-License-Identifier: Apache-2.0
// Which processes are probed in their drivers and pools, and what became of each site.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "drivers/plan.hpp"
#include "probes/probes.hpp"
#include "symbols/symbolizer.hpp"

namespace connleak {

// What became of a plan in one process.
struct PlacedPlan {
  std::string path;  // of its file, as the process sees it
  Plan plan;
  std::string refused;  // by the kernel; "": it is placed, unless the plan itself says why not
};

// A file's plan is made once, and kept while a process has the file.
class DriverProbes {
 public:
  using Place = std::function<Result<void>(std::uint32_t pid, int file, std::span<const DriverSite>)>;
  using Release = std::function<void(std::uint32_t pid)>;
  // The symbolizer is borrowed.
  DriverProbes(Symbolizer& symbolizer, Place place, Release release,
               std::optional<std::vector<std::string>> wanted = std::nullopt)
      : symbolizer_(symbolizer),
        place_(std::move(place)),
        release_(std::move(release)),
        wanted_(std::move(wanted)) {}

  // Places what the files want that it has mapped by now, those excepted that were looked at before.
  void look(std::uint32_t pid, std::uint64_t start_ns);
  // At all that were looked at before, for what they have mapped since.
  void look_again();
  // Also where it runs another program now.
  void process_gone(std::uint32_t pid);

  [[nodiscard]] const std::vector<PlacedPlan>& placed(std::uint32_t pid) const;
  [[nodiscard]] bool any(std::uint32_t pid) const { return !placed(pid).empty(); }

 private:
  struct Process {
    std::uint64_t start_ns = 0;
    std::set<std::string> looked_at;  // paths with Module::identity(): a file may be closed and opened again
    std::vector<PlacedPlan> plans;
  };
  const std::vector<Plan>& plans_of(const std::shared_ptr<Module>& module);

  Symbolizer& symbolizer_;
  Place place_;
  Release release_;
  std::optional<std::vector<std::string>> wanted_;  // nullopt: all
  std::map<std::weak_ptr<Module>, std::vector<Plan>, std::owner_less<>> plans_;
  std::map<std::uint32_t, Process> processes_;
};

}  // namespace connleak
