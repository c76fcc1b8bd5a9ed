// SPDX-License-Identifier: Apache-2.0
// L3, open-transaction: begun and left, by itself or after a failure.
#pragma once

#include "detect/overdue.hpp"

namespace connleak::detect {

class OpenTransaction final : public Overdue {
 public:
  // The group is borrowed.
  OpenTransaction(const model::Group& group, std::uint64_t hold_after_ns);

  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  enum Kind : unsigned { kOpen, kFailed };
  // What members that were used last at one place finished before.
  struct Finished {
    std::uint64_t count = 0;
    std::uint64_t longest_ns = 0;
  };
  [[nodiscard]] std::optional<State> state(const model::Connection& member) const override;
  [[nodiscard]] std::uint64_t least(State state) const override;
  [[nodiscard]] std::uint64_t limit(const model::Connection& member, State state,
                                    const Moment& moment) const override;
  void describe(Claim& claim, unsigned kind, const Moment& moment) const override;
  [[nodiscard]] Finished finished(const model::Stack* place) const;

  const model::Group& group_;
  std::uint64_t hold_after_ns_;
};

}  // namespace connleak::detect
