// SPDX-License-Identifier: Apache-2.0
// L1, never-closed: spare-at-growth of members that were used and are idle.
#pragma once

#include "detect/spare_growth.hpp"

namespace connleak::detect {

class NeverClosed : public SpareGrowth {
 public:
  explicit NeverClosed(const model::Group& group)
      : NeverClosed(group, {.id = "L1", .name = "never-closed", .confidence = Confidence::high}) {}

 protected:
  NeverClosed(const model::Group& group, RuleInfo info);
  [[nodiscard]] std::optional<std::uint64_t> since(const model::Connection& member) const override;
};

}  // namespace connleak::detect
