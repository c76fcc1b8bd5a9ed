// SPDX-License-Identifier: Apache-2.0
// HELD and STALE: what a single connection shows after a while, no rule needed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "model/connection.hpp"

namespace connleak::detect {

enum class Standing { half_closed, held, old };

// "HELD" or "STALE", and "half-closed", "held", "old".
[[nodiscard]] const char* verdict_name(Standing standing);
[[nodiscard]] const char* standing_name(Standing standing);

struct TimerLimits {
  std::uint64_t hold_after_ns = 0;
  std::optional<std::uint64_t> max_age_ns;
};

// Knows when each connection becomes one of these, so that a tick costs what became due.
class Timers {
 public:
  explicit Timers(TimerLimits limits) : limits_(limits) {}

  // Facts changed. Returns what the connection was and is no longer.
  std::optional<Standing> update(const model::Connection& connection, std::uint64_t now_ns);
  void remove(const model::Connection& connection);
  void tick(std::uint64_t now_ns);
  [[nodiscard]] const std::unordered_map<const model::Connection*, Standing>& standing() const {
    return standing_;
  }

 private:
  void schedule(const model::Connection& connection, std::uint64_t now_ns);
  TimerLimits limits_;
  std::set<std::pair<std::uint64_t, const model::Connection*>> due_;
  std::unordered_map<const model::Connection*, std::uint64_t> scheduled_;
  std::unordered_map<const model::Connection*, Standing> standing_;
};

}  // namespace connleak::detect
