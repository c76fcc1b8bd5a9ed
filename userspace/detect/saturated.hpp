// SPDX-License-Identifier: Apache-2.0
// L1 in the night case, saturated: attached when the server already refuses, so that growth can no longer be seen.
#pragma once

#include <set>

#include "detect/overdue.hpp"

namespace connleak::detect {

class Saturated final : public Overdue {
 public:
  // The group is borrowed.
  explicit Saturated(const model::Group& group);

  void update(const model::Connection& member) override;
  [[nodiscard]] bool due(std::uint64_t now_ns) const override;
  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  [[nodiscard]] std::optional<State> state(const model::Connection& member) const override;
  [[nodiscard]] std::uint64_t least(State) const override { return 0; }
  [[nodiscard]] std::uint64_t limit(const model::Connection& member, State state,
                                    const Moment& moment) const override;
  void describe(Claim& claim, unsigned kind, const Moment& moment) const override;
  // Epochs of what the server refused, and members idle longer than T.
  [[nodiscard]] std::uint64_t epochs(const Moment& moment) const;
  [[nodiscard]] std::uint64_t idle(const Moment& moment) const;

  const model::Group& group_;
  std::set<std::uint64_t> refused_ns_;  // when those that the server refused were opened
  mutable std::uint64_t counted_ns_ = 0;
  mutable std::uint64_t idle_ = 0;  // at counted_ns_
};

}  // namespace connleak::detect
