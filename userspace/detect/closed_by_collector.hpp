// SPDX-License-Identifier: Apache-2.0
// L8, closed-by-gc: nobody could reach it any more, until a collector closed it.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "detect/rule.hpp"

namespace connleak::detect {

class ClosedByCollector final : public Rule {
 public:
  explicit ClosedByCollector(const model::Group& group) : group_(group) {}

  [[nodiscard]] const RuleInfo& info() const override;
  [[nodiscard]] bool touched(const model::Connection&) const override { return false; }
  void update(const model::Connection& member) override;
  void leave(const model::Connection&) override {}
  void record(std::uint64_t, const Moment&) override {}
  [[nodiscard]] bool due(std::uint64_t) const override { return !closed_.empty(); }
  void tick(const Moment& moment) override;
  void release(const model::Connection& member) override;
  [[nodiscard]] bool keeps(const model::Connection& member) const override;
  [[nodiscard]] const std::vector<Claim>& claims() const override { return claims_; }
  [[nodiscard]] bool accuses(const model::Connection& member) const override { return accused_.contains(&member); }
  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  void describe(Claim& claim);

  const model::Group& group_;
  std::unordered_set<const model::Connection*> closed_;  // by a collector; to be judged at the next tick
  std::unordered_set<const model::Connection*> accused_;
  std::map<const model::Stack*, std::uint64_t> counts_;  // by place, also of those that are not kept
  std::vector<Claim> claims_;
};

}  // namespace connleak::detect
