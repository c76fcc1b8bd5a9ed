// SPDX-License-Identifier: Apache-2.0
// L2 and L11 from leases: taken out of a pool and lost, as probes on the pool tell.
#pragma once

#include "detect/overdue.hpp"

namespace connleak::detect {

// A lease without traffic for longer than --hold-after is HELD. It is lost where its goroutine has ended, or where
// its pool is exhausted while others wait.
class LostLease final : public Overdue {
 public:
  enum class When { used, never_used };  // since it was taken: L2, L11
  // The group is borrowed.
  LostLease(const model::Group& group, When when, std::uint64_t hold_after_ns);

  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  [[nodiscard]] std::optional<State> state(const model::Connection& member) const override;
  [[nodiscard]] std::uint64_t least(State state) const override;
  [[nodiscard]] std::uint64_t limit(const model::Connection& member, State state,
                                    const Moment& moment) const override;
  [[nodiscard]] const model::Stack* place(const model::Connection& member) const override;
  void describe(Claim& claim, unsigned kind, const Moment& moment) const override;
  [[nodiscard]] const model::Pool* pool_of(const model::Connection& member, std::uint64_t now_ns) const;
  [[nodiscard]] bool lost(const model::Connection& member, const Moment& moment) const;

  const model::Group& group_;
  When when_;
  std::uint64_t hold_after_ns_;
};

}  // namespace connleak::detect
