// SPDX-License-Identifier: Apache-2.0
// L9, pool-per-request: spare-at-growth in a group none of whose members is ever reused for long.
#pragma once

#include <unordered_set>

#include "detect/never_closed.hpp"

namespace connleak::detect {

class PoolPerRequest final : public NeverClosed {
 public:
  explicit PoolPerRequest(const model::Group& group);
  void update(const model::Connection& member) override;
  void leave(const model::Connection& member) override;

 private:
  [[nodiscard]] std::optional<std::uint64_t> since(const model::Connection& member) const override;
  [[nodiscard]] std::string veto() const override;

  std::unordered_set<const model::Connection*> reused_;  // held members used more than a handful of times
};

}  // namespace connleak::detect
