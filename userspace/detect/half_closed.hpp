// SPDX-License-Identifier: Apache-2.0
// L7, half-closed: spare-at-growth of members whose server is gone and that the program still holds.
#pragma once

#include "detect/spare_growth.hpp"

namespace connleak::detect {

class HalfClosed final : public SpareGrowth {
 public:
  explicit HalfClosed(const model::Group& group);

 private:
  [[nodiscard]] std::optional<std::uint64_t> since(const model::Connection& member) const override;
};

}  // namespace connleak::detect
