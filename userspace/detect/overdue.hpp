// SPDX-License-Identifier: Apache-2.0
// What the rules share that accuse each member by itself, once it has been in a state for too long.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "detect/rule.hpp"

namespace connleak::detect {

// Knows when each member is due, so that a tick costs what became due.
class Overdue : public Rule {
 public:
  explicit Overdue(RuleInfo info) : info_(info) {}

  [[nodiscard]] const RuleInfo& info() const override { return info_; }
  [[nodiscard]] bool touched(const model::Connection& member) const override;
  void update(const model::Connection& member) override;
  void leave(const model::Connection& member) override;
  void record(std::uint64_t, const Moment&) override {}
  [[nodiscard]] bool due(std::uint64_t now_ns) const override;
  void tick(const Moment& moment) override;
  void release(const model::Connection& member) override;
  [[nodiscard]] const std::vector<Claim>& claims() const override { return claims_; }
  [[nodiscard]] bool accuses(const model::Connection& member) const override { return accused_.contains(&member); }

 protected:
  struct State {
    std::uint64_t since_ns = 0;
    unsigned kind = 0;  // members of different kinds stand in different claims
    auto operator<=>(const State&) const = default;
  };
  // The state that this rule counts and since when; nullopt: it is in none. Also asked of closed members.
  [[nodiscard]] virtual std::optional<State> state(const model::Connection& member) const = 0;
  // How long it may last: known without a group's numbers, a lower bound of limit().
  [[nodiscard]] virtual std::uint64_t least(State state) const = 0;
  [[nodiscard]] virtual std::uint64_t limit(const model::Connection& member, State state,
                                            const Moment& moment) const = 0;
  // Who is blamed for it.
  [[nodiscard]] virtual const model::Stack* place(const model::Connection& member) const {
    return member.last_use_stack;
  }
  // Of a claim whose members changed.
  virtual void describe(Claim& claim, unsigned kind, const Moment& moment) const = 0;

 private:
  struct Waiting {
    State state;
    std::uint64_t due_ns = 0;
  };
  void schedule(const model::Connection& member, State state, std::uint64_t due_ns);
  void unschedule(const model::Connection& member);
  void regroup(const Moment& moment);

  RuleInfo info_;
  std::set<std::pair<std::uint64_t, const model::Connection*>> due_;
  std::unordered_map<const model::Connection*, Waiting> waiting_;
  struct Accused {
    State state;
    std::uint64_t since_ns = 0;  // when it was accused
  };
  std::unordered_map<const model::Connection*, Accused> accused_;
  std::vector<Claim> claims_;
  bool changed_ = false;
};

}  // namespace connleak::detect
