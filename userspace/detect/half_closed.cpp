// SPDX-License-Identifier: Apache-2.0
// L7.
#include "detect/half_closed.hpp"

#include "detect/gate.hpp"

namespace connleak::detect {

HalfClosed::HalfClosed(const model::Group& group)
    : SpareGrowth(group, {.info = {.id = "L7", .name = "half-closed", .confidence = Confidence::high},
                          .state = "half-closed",
                          .needs_idle = false,
                          .pairs_sessions = false}) {}

std::optional<std::uint64_t> HalfClosed::since(const model::Connection& member) const {
  const std::uint64_t gone = server_gone_at(member);
  if (gone == 0 || gate(member) == Gate::not_established) return std::nullopt;
  return gone;
}

}  // namespace connleak::detect
