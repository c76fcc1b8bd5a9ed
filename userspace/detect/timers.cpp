// SPDX-License-Identifier: Apache-2.0
// HELD and STALE.
#include "detect/timers.hpp"

#include <array>
#include <limits>

#include "detect/constants.hpp"
#include "detect/gate.hpp"

namespace connleak::detect {

namespace {

constexpr std::uint64_t kNever = std::numeric_limits<std::uint64_t>::max();

struct Due {
  Standing standing;
  std::uint64_t at_ns;
};

std::array<Due, 3> dues(const model::Connection& connection, const TimerLimits& limits) {
  std::array<Due, 3> all{Due{Standing::half_closed, kNever}, Due{Standing::held, kNever},
                         Due{Standing::old, kNever}};
  const bool there =
      connection.held() || (connection.liveness == model::Liveness::closed && connection.closed_at_exit);
  if (!there) return all;
  // A server's close is noticed by most programs at once: that is not half-closed yet.
  if (const std::uint64_t gone = server_gone_at(connection); gone != 0) all[0].at_ns = gone + kSettle;
  const auto since = model::idle_since(connection);
  if (idle_in_transaction(connection) && since) all[1].at_ns = *since + limits.hold_after_ns;
  if (const auto leased = leased_idle_since(connection))
    all[1].at_ns = std::min(all[1].at_ns, *leased + limits.hold_after_ns);
  if (limits.max_age_ns) all[2].at_ns = connection.key.opened_ns + *limits.max_age_ns;
  return all;
}

}  // namespace

const char* verdict_name(Standing standing) { return standing == Standing::held ? "HELD" : "STALE"; }

const char* standing_name(Standing standing) {
  switch (standing) {
    case Standing::half_closed:
      return "half-closed";
    case Standing::held:
      return "held";
    case Standing::old:
      return "old";
  }
  return "";
}

void Timers::schedule(const model::Connection& connection, std::uint64_t now_ns) {
  std::uint64_t next = kNever;
  std::optional<Standing> standing;
  for (const Due& due : dues(connection, limits_)) {
    if (due.at_ns == kNever) continue;
    if (due.at_ns > now_ns)
      next = std::min(next, due.at_ns);
    else if (!standing)
      standing = due.standing;
  }
  if (standing)
    standing_[&connection] = *standing;
  else
    standing_.erase(&connection);
  if (const auto before = scheduled_.find(&connection); before != scheduled_.end()) {
    due_.erase({before->second, &connection});
    scheduled_.erase(before);
  }
  if (next == kNever) return;
  due_.emplace(next, &connection);
  scheduled_[&connection] = next;
}

std::optional<Standing> Timers::update(const model::Connection& connection, std::uint64_t now_ns) {
  const auto found = standing_.find(&connection);
  const std::optional<Standing> before = found == standing_.end() ? std::nullopt : std::optional(found->second);
  schedule(connection, now_ns);
  const auto after = standing_.find(&connection);
  if (!before || (after != standing_.end() && after->second == *before)) return std::nullopt;
  return before;
}

void Timers::remove(const model::Connection& connection) {
  standing_.erase(&connection);
  const auto found = scheduled_.find(&connection);
  if (found == scheduled_.end()) return;
  due_.erase({found->second, &connection});
  scheduled_.erase(found);
}

void Timers::tick(std::uint64_t now_ns) {
  while (!due_.empty() && due_.begin()->first <= now_ns) schedule(*due_.begin()->second, now_ns);
}

}  // namespace connleak::detect
