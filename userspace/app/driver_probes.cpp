// SPDX-License-Identifier: Apache-2.0
#include "app/driver_probes.hpp"

#include <algorithm>

namespace connleak {

namespace {

// A uprobe may go to another place of a file that is written to meanwhile: what is there now is compared.
bool is_unchanged(const ElfImage& image, const Plan& plan) {
  for (const PlannedSite& planned : plan.sites)
    if (planned.site && !connleak::is_unchanged(image, *planned.site)) return false;
  return true;
}

}  // namespace

const std::vector<Plan>& DriverProbes::plans_of(const std::shared_ptr<Module>& module) {
  std::erase_if(plans_, [](const auto& entry) { return entry.first.expired(); });
  const auto known = plans_.find(module);
  if (known != plans_.end()) return known->second;
  return plans_.emplace(module, plan_file(module->image(), module->go_table())).first->second;
}

void DriverProbes::look(std::uint32_t pid, std::uint64_t start_ns) {
  Process& process = processes_[pid];
  process.start_ns = start_ns;
  for (const LoadedFile& file : symbolizer_.files(pid, start_ns)) {
    if (!process.looked_at.insert(file.path + "\n" + file.module->identity()).second) continue;
    for (const Plan& plan : plans_of(file.module)) {
      PlacedPlan& placed = process.plans.emplace_back(PlacedPlan{file.path, plan, ""});
      if (!plan.why_not.empty()) continue;
      if (wanted_ && std::ranges::find(*wanted_, plan.driver) == wanted_->end()) {
        placed.refused = "--probes does not name it";
        continue;
      }
      if (!is_unchanged(file.module->image(), plan)) {
        placed.refused = "the file was changed";
        continue;
      }
      std::vector<DriverSite> sites;
      for (const PlannedSite& planned : plan.sites)
        if (planned.site) sites.push_back({planned.site->offset, planned.cookie});
      if (auto done = place_(pid, file.module->image().fd(), sites); !done) placed.refused = done.error().message;
    }
  }
}

void DriverProbes::look_again() {
  for (const auto& [pid, process] : processes_) {
    symbolizer_.look_again(pid, process.start_ns);
    look(pid, process.start_ns);
  }
}

void DriverProbes::process_gone(std::uint32_t pid) {
  if (processes_.erase(pid) != 0) release_(pid);
}

const std::vector<PlacedPlan>& DriverProbes::placed(std::uint32_t pid) const {
  static const std::vector<PlacedPlan> kNone;
  const auto known = processes_.find(pid);
  return known == processes_.end() ? kNone : known->second.plans;
}

}  // namespace connleak
