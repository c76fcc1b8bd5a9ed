// SPDX-License-Identifier: Apache-2.0
// L10, never-used: spare-at-growth of members that never sent a request.
#pragma once

#include "detect/spare_growth.hpp"

namespace connleak::detect {

class NeverUsed final : public SpareGrowth {
 public:
  explicit NeverUsed(const model::Group& group);

 private:
  [[nodiscard]] std::optional<std::uint64_t> since(const model::Connection& member) const override;
};

}  // namespace connleak::detect
