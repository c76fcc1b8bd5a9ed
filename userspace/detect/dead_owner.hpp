// SPDX-License-Identifier: Apache-2.0
// L5, dead-owner: spare-at-growth of members whose last user thread has exited.
#pragma once

#include "detect/spare_growth.hpp"

namespace connleak::detect {

class DeadOwner final : public SpareGrowth {
 public:
  explicit DeadOwner(const model::Group& group);

 private:
  [[nodiscard]] std::optional<std::uint64_t> since(const model::Connection& member) const override;
  const model::Group& group_;
};

}  // namespace connleak::detect
