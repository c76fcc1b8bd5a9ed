// SPDX-License-Identifier: Apache-2.0
// T.
#include "detect/idle_cutoff.hpp"

#include <fmt/core.h>

#include "detect/constants.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

Cutoff idle_cutoff(const model::Group& group, std::uint64_t idle_after_ns) {
  Cutoff cutoff{.ns = idle_after_ns};
  const auto raise = [&](Cutoff::From from, std::uint64_t quantile_ns, std::uint64_t factor, double values) {
    const bool decides = quantile_ns * factor > cutoff.ns;
    if (!decides && from == Cutoff::From::longest_gap) return;
    cutoff.of_lifetimes = from == Cutoff::From::lifetimes;
    cutoff.quantile_ns = quantile_ns;
    cutoff.values = static_cast<std::uint64_t>(values);
    if (!decides) return;
    cutoff.ns = quantile_ns * factor;
    cutoff.from = from;
  };
  if (group.gaps.total() >= static_cast<double>(kGapsWanted)) {
    raise(Cutoff::From::gaps, *group.gaps.quantile(0.99), kGapFactor, group.gaps.total());
  } else if (group.lifetimes.total() >= static_cast<double>(kLifetimesWanted)) {
    raise(Cutoff::From::lifetimes, *group.lifetimes.quantile(0.99), kLifetimeFactor, group.lifetimes.total());
  } else {
    cutoff.thin = true;
  }
  if (!group.frames_known || group.tls) {
    const double members = group.longest_open.total() + group.longest_closed.total();
    const auto longest = model::Histogram::quantile(group.longest_open, group.longest_closed, kLongestGapQuantile);
    if (longest && members >= static_cast<double>(kLongestGapMembers))
      raise(Cutoff::From::longest_gap, *longest, kLongestGapFactor, members);
  }
  return cutoff;
}

std::string explain(const Cutoff& cutoff) {
  std::string head = fmt::format("T is {}", seconds_text(cutoff.ns));
  const std::string quantile = seconds_text(cutoff.quantile_ns);
  const std::string values = number_text(cutoff.values);
  switch (cutoff.from) {
    case Cutoff::From::idle_after:
      if (cutoff.thin) return head + ": --idle-after alone, the history is thin";
      return fmt::format("{}: --idle-after, more than {} x p99 ({}) of {} {}", head,
                         cutoff.of_lifetimes ? kLifetimeFactor : kGapFactor, quantile, values,
                         cutoff.of_lifetimes ? "lifetimes" : "completed idle gaps");
    case Cutoff::From::gaps:
      return fmt::format("{}: {} x p99 ({}) of {} completed idle gaps", head, kGapFactor, quantile, values);
    case Cutoff::From::lifetimes:
      return fmt::format("{}: {} x p99 ({}) of {} lifetimes", head, kLifetimeFactor, quantile, values);
    case Cutoff::From::longest_gap:
      return fmt::format("{}: {} x p90 ({}) of the longest idle gaps of {} members", head, kLongestGapFactor,
                         quantile, values);
  }
  return head;
}

}  // namespace connleak::detect
