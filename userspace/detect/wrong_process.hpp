// SPDX-License-Identifier: Apache-2.0
// L6, wrong-process: inherited over fork or exec, and kept by those who have no use for it.
#pragma once

#include <string>

#include "detect/overdue.hpp"

namespace connleak::detect {

class WrongProcess final : public Overdue {
 public:
  // Both are borrowed.
  WrongProcess(const model::Model& model, const model::Group& group);

  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  enum Kind : unsigned { kExecuted, kForked };
  [[nodiscard]] std::optional<State> state(const model::Connection& member) const override;
  [[nodiscard]] std::uint64_t least(State state) const override;
  [[nodiscard]] std::uint64_t limit(const model::Connection& member, State state,
                                    const Moment& moment) const override;
  void describe(Claim& claim, unsigned kind, const Moment& moment) const override;
  [[nodiscard]] std::string name(model::ProcessKey key) const;

  const model::Model& model_;
  const model::Group& group_;
};

}  // namespace connleak::detect
