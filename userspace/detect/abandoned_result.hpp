// SPDX-License-Identifier: Apache-2.0
// L4, abandoned-result: an answer lies there and is not read any further.
#pragma once

#include "detect/overdue.hpp"

namespace connleak::detect {

class AbandonedResult final : public Overdue {
 public:
  // The group is borrowed.
  AbandonedResult(const model::Group& group, std::uint64_t hold_after_ns);

  void update(const model::Connection& member) override;
  void leave(const model::Connection& member) override;
  [[nodiscard]] RuleAnswer answer(const Moment& moment) const override;
  [[nodiscard]] std::string spared(const model::Connection& member, const Moment& moment) const override;

 private:
  // Since when the application has read no further. Scans see it, so it is exact to one.
  struct Pause {
    std::uint32_t copied_seq = 0;
    std::uint64_t since_ns = 0;
  };
  [[nodiscard]] std::optional<State> state(const model::Connection& member) const override;
  [[nodiscard]] std::uint64_t least(State state) const override;
  [[nodiscard]] std::uint64_t limit(const model::Connection& member, State state,
                                    const Moment& moment) const override;
  void describe(Claim& claim, unsigned kind, const Moment& moment) const override;

  const model::Group& group_;
  std::uint64_t hold_after_ns_;
  std::unordered_map<const model::Connection*, Pause> pauses_;
  std::uint64_t longest_ended_ns_ = 0;
};

}  // namespace connleak::detect
