// SPDX-License-Identifier: Apache-2.0
// T: how long a member must be idle before that means anything.
#pragma once

#include <cstdint>
#include <string>

#include "model/process.hpp"

namespace connleak::detect {

struct Cutoff {
  enum class From { idle_after, gaps, lifetimes, longest_gap };
  std::uint64_t ns = 0;
  From from = From::idle_after;  // the term that decided
  bool thin = false;             // neither gaps nor lifetimes are known
  std::uint64_t quantile_ns =
      0;                      // of that term; where --idle-after decided, of the gaps or lifetimes that it exceeds
  std::uint64_t values = 0;   // that the term speaks of
  bool of_lifetimes = false;  // where --idle-after decided: they are lifetimes
};

// max(--idle-after, 10 x p99 of completed idle gaps) from 20 on; before that 3 x p99 of 20 lifetimes; with neither
// --idle-after alone, and the history is thin. Without application frames, or under TLS, also at least 3 x the p90
// of each member's longest gap, from 5 members on.
[[nodiscard]] Cutoff idle_cutoff(const model::Group& group, std::uint64_t idle_after_ns);

// "T is 3.2 s: 10 x p99 (0.32 s) of 1,920 completed idle gaps".
[[nodiscard]] std::string explain(const Cutoff& cutoff);

}  // namespace connleak::detect
