// SPDX-License-Identifier: Apache-2.0
// The core rule: a pool that reuses before it creates does not create while it has a usable spare.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "detect/rule.hpp"
#include "detect/series.hpp"

namespace connleak::detect {

// What differs between the rules that are spare-at-growth of some state.
struct SpareGrowthOptions {
  RuleInfo info;
  std::string_view state;  // "idle", as in "24 idle ones"
  bool needs_idle = true;  // members count when longer than T in the state, and thin history wants a gain of 20
  bool pairs_sessions = true;  // members with an inbound session of their own do not count
  bool by_open_stack = false;  // blame is per open stack, and one without an application frame is nobody's leak
  std::uint64_t epochs_wanted = 1;  // of the births of those that share a place
};

class SpareGrowth : public Rule {
 public:
  // The group is borrowed.
  SpareGrowth(const model::Group& group, SpareGrowthOptions options) : group_(group), options_(options) {}

  [[nodiscard]] const RuleInfo& info() const override { return options_.info; }
  [[nodiscard]] bool touched(const model::Connection& member) const override;
  void update(const model::Connection& member) override;
  void leave(const model::Connection& member) override;
  void record(std::uint64_t at_ns, const Moment& moment) override;
  [[nodiscard]] bool due(std::uint64_t) const override { return !claims_.empty(); }
  void tick(const Moment& moment) override;
  void release(const model::Connection& member) override;
  [[nodiscard]] const std::vector<Claim>& claims() const override { return claims_; }
  [[nodiscard]] bool accuses(const model::Connection& member) const override { return accused_.contains(&member); }
  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 protected:
  // Since when the member is in the state that this rule counts, its gate included; nullopt: it is not. Also asked
  // of closed members, whose last record counts.
  [[nodiscard]] virtual std::optional<std::uint64_t> since(const model::Connection& member) const = 0;
  // Why the group as a whole is none that this rule speaks of; "" lets the growth decide.
  [[nodiscard]] virtual std::string veto() const { return ""; }
  [[nodiscard]] const model::Group& group() const { return group_; }

 private:
  using Stacks = std::set<const model::Stack*>;
  // What evaluate() found: fires, or the first condition that failed.
  struct Outcome {
    bool fires = false;
    bool frames = false;  // application frames decided
    Stacks stacks;        // whose members are accused
    std::string reason;
  };
  [[nodiscard]] Outcome evaluate(const Moment& moment) const;
  [[nodiscard]] const model::Stack* place_of(const model::Connection& member) const;
  [[nodiscard]] const Ladder& ladder() const;
  [[nodiscard]] std::uint64_t gain_wanted(const Moment& moment) const;
  [[nodiscard]] std::uint64_t cutoff_at(std::uint64_t at_ns, const Moment& moment) const;
  [[nodiscard]] std::vector<const model::Connection*> cold() const;
  [[nodiscard]] bool own_thread_only(const model::Connection& member) const;
  [[nodiscard]] std::vector<std::string> evidence(const Outcome& outcome, const Moment& moment) const;
  void judge(const Moment& moment);
  void take_in(const Moment& moment);
  void regroup();
  Claim& claim_of(const model::Stack* stack, std::uint64_t since_ns);
  void drop_empty();

  const model::Group& group_;
  SpareGrowthOptions options_;
  Series series_;
  std::vector<Claim> claims_;
  Stacks accepted_;                    // later members last used there are taken in
  std::vector<std::string> evidence_;  // of the record that fired last
  std::unordered_map<const model::Connection*, std::uint64_t> accused_;  // in the state since, when accused
  bool dirty_ = false;
  bool recorded_ = false;  // records came since the last look
};

}  // namespace connleak::detect
