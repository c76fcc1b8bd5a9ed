// SPDX-License-Identifier: Apache-2.0
// L2, never-returned, without a probe: a capped pool is silent while requests wait for it in vain.
#pragma once

#include <optional>
#include <unordered_map>

#include "detect/rule.hpp"

namespace connleak::detect {

class StarvedRequests final : public Rule {
 public:
  // The group is borrowed.
  explicit StarvedRequests(const model::Group& group) : group_(group) {}

  [[nodiscard]] const RuleInfo& info() const override;
  [[nodiscard]] bool touched(const model::Connection& member) const override;
  void update(const model::Connection& member) override;
  void leave(const model::Connection& member) override;
  void record(std::uint64_t, const Moment&) override {}
  [[nodiscard]] bool due(std::uint64_t now_ns) const override;
  void tick(const Moment& moment) override;
  void release(const model::Connection& member) override;
  [[nodiscard]] const std::vector<Claim>& claims() const override { return claims_; }
  [[nodiscard]] bool accuses(const model::Connection& member) const override { return accused_.contains(&member); }
  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection&, const Moment&) const override { return ""; }

 private:
  // What the requests answered since the members fell silent say: starved, or the first condition that failed.
  struct Outcome {
    bool starved = false;
    std::uint64_t late = 0;
    std::uint64_t all = 0;
    std::uint64_t failed = 0;   // of the late ones
    std::uint64_t over_ns = 0;  // what counts as late
    std::string reason;
  };
  [[nodiscard]] Outcome evaluate(const Moment& moment) const;
  [[nodiscard]] std::string silent(std::uint64_t longest_wait_ns, const Moment& moment) const;

  const model::Group& group_;
  std::uint64_t active_ns_ = 0;                                          // last use, answer or birth of any member
  std::uint64_t seen_ns_ = 0;                                            // of the sums judged last
  std::optional<model::Requests> before_;                                // the first sums after that
  std::unordered_map<const model::Connection*, std::uint64_t> accused_;  // idle since, when accused
  std::vector<Claim> claims_;
};

}  // namespace connleak::detect
