// SPDX-License-Identifier: Apache-2.0
#include "drivers/plan.hpp"

#include <utility>

namespace connleak {

PlannedSite planned(std::string function, std::string purpose, std::uint64_t cookie, const Result<Site>& site) {
  PlannedSite out{std::move(function), std::move(purpose), std::nullopt, "", cookie};
  if (site)
    out.site = *site;
  else
    out.why_not = site.error().message;
  return out;
}

std::vector<Plan> plan_file(const ElfImage& image, const GoTable* go) {
  std::vector<Plan> plans = plan_c_drivers(image);
  if (go == nullptr) return plans;
  for (Plan& plan : plan_go_pools(image, *go)) plans.push_back(std::move(plan));
  return plans;
}

}  // namespace connleak
