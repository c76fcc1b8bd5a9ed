// SPDX-License-Identifier: Apache-2.0
// L5.
#include "detect/dead_owner.hpp"

#include "detect/gate.hpp"

namespace connleak::detect {

DeadOwner::DeadOwner(const model::Group& group)
    : SpareGrowth(group, {.info = {.id = "L5", .name = "dead-owner", .confidence = Confidence::high},
                          .state = "orphaned",
                          .needs_idle = true,
                          .pairs_sessions = true}),
      group_(group) {}

std::optional<std::uint64_t> DeadOwner::since(const model::Connection& member) const {
  // Goroutines move between threads, whose ends mean nothing.
  if (group_.process->go || !member.owner_dead || !member.used() || gate(member) != Gate::passes)
    return std::nullopt;
  return model::idle_since(member);
}

}  // namespace connleak::detect
