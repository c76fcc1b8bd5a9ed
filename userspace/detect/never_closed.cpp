// SPDX-License-Identifier: Apache-2.0
// L1.
#include "detect/never_closed.hpp"

#include "detect/gate.hpp"

namespace connleak::detect {

NeverClosed::NeverClosed(const model::Group& group, RuleInfo info)
    : SpareGrowth(group, {.info = info, .state = "idle", .needs_idle = true, .pairs_sessions = true}) {}

std::optional<std::uint64_t> NeverClosed::since(const model::Connection& member) const {
  // A server that went away, its goodbye unread, changes nothing here: half-closed members stay in.
  if (!member.used()) return std::nullopt;
  const Gate at = gate(member);
  // A result that is not read keeps the server's turn for ever: as spare as an idle one, see L4.
  const bool abandoned = at == Gate::in_use && member.record.unread_bytes != 0;
  if (at != Gate::passes && !abandoned) return std::nullopt;
  return model::idle_since(member);
}

}  // namespace connleak::detect
