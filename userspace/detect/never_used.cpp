// SPDX-License-Identifier: Apache-2.0
// L10.
#include "detect/never_used.hpp"

#include "detect/constants.hpp"
#include "detect/gate.hpp"

namespace connleak::detect {

NeverUsed::NeverUsed(const model::Group& group)
    : SpareGrowth(group, {.info = {.id = "L10", .name = "never-used", .confidence = Confidence::medium},
                          .state = "never used",
                          .needs_idle = true,
                          .pairs_sessions = true,
                          .by_open_stack = true,
                          .epochs_wanted = kEpochsNeverUsed}) {}

std::optional<std::uint64_t> NeverUsed::since(const model::Connection& member) const {
  // What a late one did before the observer is not known.
  if (member.used() || member.late() || gate(member) != Gate::passes) return std::nullopt;
  return model::idle_since(member);
}

}  // namespace connleak::detect
