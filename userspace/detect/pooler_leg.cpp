// SPDX-License-Identifier: Apache-2.0
// L12.
#include "detect/pooler_leg.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>

#include "base/text.hpp"
#include "detect/constants.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

// When its last request went out, ascending.
std::vector<std::uint64_t> last_uses(const auto& connections, wire_protocol protocol) {
  std::vector<std::uint64_t> uses;
  for (const model::Connection* connection : connections)
    if (connection->used() && connection->protocol == protocol && connection->liveness == model::Liveness::open)
      uses.push_back(connection->record.last_use_ns);
  std::sort(uses.begin(), uses.end());
  return uses;
}

// Pairs each member with the first free server connection that sent soon after it did.
std::size_t count_pairs(const std::vector<std::uint64_t>& members, const std::vector<std::uint64_t>& legs) {
  std::size_t pairs = 0;
  auto leg = legs.begin();
  for (const std::uint64_t use : members) {
    leg = std::lower_bound(leg, legs.end(), use);
    if (leg == legs.end()) break;
    if (*leg - use > kForwarding) continue;
    ++pairs;
    ++leg;
  }
  return pairs;
}

}  // namespace

bool PinnedLegs::fires() const { return pinned >= kLegsWanted && 2 * pinned > comparable; }

PinnedLegs pinned_legs(const model::Model& model, const std::vector<const model::Connection*>& members) {
  PinnedLegs best;
  if (members.empty() || members.front()->process->pooler()) return best;
  const wire_protocol protocol = members.front()->protocol;
  std::vector<std::uint64_t> uses;
  for (const auto& [key, process] : model.processes()) {
    if (!process->alive || !process->pooler()) continue;
    if (uses.empty()) uses = last_uses(members, protocol);
    const std::size_t pinned = count_pairs(uses, last_uses(process->connections, protocol));
    if (best.pooler == nullptr || pinned > best.pinned) best = {process.get(), pinned, uses.size()};
  }
  return best;
}

std::string sentence(const PinnedLegs& legs) {
  if (legs.pooler == nullptr) return "no pooler with server connections is seen on this host";
  const std::string who = fmt::format("{} (pid {})", escape(legs.pooler->comm), legs.pooler->key.tgid);
  if (!legs.fires())
    return fmt::format("{} of {} fell silent together with a server connection of {}", number_text(legs.pinned),
                       number_text(legs.comparable), who);
  return fmt::format(
      "{} of {} each pin a server connection of {} (pooler-leg, L12): those fell silent with them, as in session "
      "mode; in "
      "transaction mode they would be free",
      number_text(legs.pinned), number_text(legs.comparable), who);
}

}  // namespace connleak::detect
