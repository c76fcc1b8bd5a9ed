// SPDX-License-Identifier: Apache-2.0
// The registration of every rule, in the order of precedence: L6, L8, L7, L3, L4, L2, L5, L9, L1, L10.
#include "detect/abandoned_result.hpp"
#include "detect/closed_by_collector.hpp"
#include "detect/dead_owner.hpp"
#include "detect/half_closed.hpp"
#include "detect/lost_lease.hpp"
#include "detect/never_closed.hpp"
#include "detect/never_used.hpp"
#include "detect/open_transaction.hpp"
#include "detect/pool_per_request.hpp"
#include "detect/rule.hpp"
#include "detect/saturated.hpp"
#include "detect/starved_requests.hpp"
#include "detect/wrong_process.hpp"

namespace connleak::detect {

std::vector<std::unique_ptr<Rule>> make_rules(const model::Model& model, const model::Group& group,
                                              std::uint64_t hold_after_ns) {
  std::vector<std::unique_ptr<Rule>> rules;
  rules.push_back(std::make_unique<WrongProcess>(model, group));
  rules.push_back(std::make_unique<ClosedByCollector>(group));
  rules.push_back(std::make_unique<HalfClosed>(group));
  rules.push_back(std::make_unique<OpenTransaction>(group, hold_after_ns));
  rules.push_back(std::make_unique<AbandonedResult>(group, hold_after_ns));
  rules.push_back(std::make_unique<LostLease>(group, LostLease::When::used, hold_after_ns));
  rules.push_back(std::make_unique<LostLease>(group, LostLease::When::never_used, hold_after_ns));
  rules.push_back(std::make_unique<StarvedRequests>(group));
  rules.push_back(std::make_unique<DeadOwner>(group));
  rules.push_back(std::make_unique<PoolPerRequest>(group));
  rules.push_back(std::make_unique<NeverClosed>(group));
  rules.push_back(std::make_unique<Saturated>(group));
  rules.push_back(std::make_unique<NeverUsed>(group));
  return rules;
}

}  // namespace connleak::detect
