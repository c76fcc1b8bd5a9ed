// SPDX-License-Identifier: Apache-2.0
// Pairing members with sessions.
#include "detect/sessions.hpp"

#include <algorithm>

#include "detect/constants.hpp"

namespace connleak::detect {

std::unordered_set<const model::Connection*> paired_members(std::vector<const model::Connection*> members,
                                                            const std::vector<model::Session>& sessions) {
  std::unordered_set<const model::Connection*> paired;
  if (sessions.empty()) return paired;
  std::vector<std::uint64_t> accepted;
  accepted.reserve(sessions.size());
  for (const auto& session : sessions) accepted.push_back(session.accepted_ns);
  std::sort(accepted.begin(), accepted.end());
  std::sort(members.begin(), members.end(),
            [](const auto* a, const auto* b) { return a->key.opened_ns < b->key.opened_ns; });
  // Windows of equal length in the order of their ends: the earliest session that fits leaves the most for the
  // rest.
  std::size_t next = 0;
  for (const model::Connection* member : members) {
    const std::uint64_t born = member->key.opened_ns;
    while (next < accepted.size() && accepted[next] + kSessionLead < born) ++next;
    if (next == accepted.size()) break;
    if (accepted[next] > born) continue;
    ++next;
    paired.insert(member);
  }
  return paired;
}

}  // namespace connleak::detect
