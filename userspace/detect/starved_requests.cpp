// SPDX-License-Identifier: Apache-2.0
// L2.
#include "detect/starved_requests.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {
namespace {

using Counts = model::Requests::Counts;

// The exclusive upper bound of a bucket of waits.
std::uint64_t bound_ns(std::size_t bucket) { return wire_gap_bound_ns(static_cast<unsigned>(2 * bucket)); }

// Of those that waited at least as long as `from_ns`; a bucket counts where it lies above that as a whole.
std::uint64_t sum(const Counts& counts, std::uint64_t from_ns = 0) {
  std::uint64_t total = 0;
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket)
    if (from_ns == 0 || (bucket > 0 && bound_ns(bucket - 1) >= from_ns)) total += counts[bucket];
  return total;
}

Counts less(const Counts& now, const Counts& before) {
  Counts difference{};
  for (std::size_t bucket = 0; bucket < now.size(); ++bucket)
    difference[bucket] = now[bucket] >= before[bucket] ? now[bucket] - before[bucket] : 0;
  return difference;
}

std::uint64_t median_ns(const Counts& counts) {
  std::uint64_t below = 0;
  const std::uint64_t all = sum(counts);
  for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
    below += counts[bucket];
    if (2 * below >= all) return bound_ns(bucket);
  }
  return 0;
}

std::uint64_t longest_ns(const Counts& counts) {
  for (std::size_t bucket = counts.size(); bucket-- > 0;)
    if (counts[bucket] != 0) return bound_ns(bucket);
  return 0;
}

}  // namespace

const RuleInfo& StarvedRequests::info() const {
  static constexpr RuleInfo kInfo{.id = "L2", .name = "never-returned", .confidence = Confidence::medium};
  return kInfo;
}

bool StarvedRequests::touched(const model::Connection& member) const {
  const auto accused = accused_.find(&member);
  return accused != accused_.end() && model::idle_since(member).value_or(UINT64_MAX) > accused->second;
}

void StarvedRequests::update(const model::Connection& member) {
  const wire_connection& record = member.record;
  // Of late ones the opened stamp is when the observer came, which is no activity.
  const std::uint64_t born = member.late() ? 0 : member.key.opened_ns;
  active_ns_ = std::max<std::uint64_t>({active_ns_, born, record.last_use_ns, record.last_answer_ns});
}

void StarvedRequests::leave(const model::Connection& member) {
  active_ns_ = std::max(active_ns_, member.closed_ns);
}

bool StarvedRequests::due(std::uint64_t) const {
  const auto& requests = group_.process->requests;
  return requests && requests->time_ns != seen_ns_;
}

void StarvedRequests::tick(const Moment& moment) {
  const auto& now = group_.process->requests;
  if (!now) return;
  seen_ns_ = now->time_ns;
  if (!before_ || before_->time_ns <= active_ns_) before_ = *now;
  if (!claims_.empty()) return;
  const Outcome outcome = evaluate(moment);
  if (!outcome.starved) return;
  Claim claim;
  claim.since_ns = moment.now_ns;
  for (const model::Connection* member : group_.members) {
    if (gate(*member) == Gate::exempt) continue;
    claim.members.push_back(member);
    accused_.emplace(member, model::idle_since(*member).value_or(moment.now_ns));
  }
  claim.evidence = {
      fmt::format(
          "while all {} members were silent, {} of {} requests waited longer than {} (10 x the median before)",
          number_text(claim.members.size()), number_text(outcome.late), number_text(outcome.all),
          seconds_text(outcome.over_ns)),
      "meanwhile the process sent nothing anywhere else and hardly computed: they waited for a member",
      fmt::format("{} of those {} were answered with HTTP 5xx or given up by their clients",
                  number_text(outcome.failed), number_text(outcome.late))};
  if (outcome.failed * kFailedShare >= outcome.late) claim.confidence = Confidence::high;
  claims_.push_back(std::move(claim));
}

void StarvedRequests::release(const model::Connection& member) {
  if (accused_.erase(&member) == 0) return;
  for (Claim& claim : claims_) std::erase(claim.members, &member);
  std::erase_if(claims_, [](const Claim& claim) { return claim.members.empty(); });
}

// "" where all members have been silent for long enough.
std::string StarvedRequests::silent(std::uint64_t longest_wait_ns, const Moment& moment) const {
  const std::uint64_t wanted = std::max(kWaitFactor * longest_wait_ns, moment.idle_after_ns);
  std::uint64_t gaps = 0;
  std::uint64_t members = 0;
  for (const model::Connection* member : group_.members) {
    if (gate(*member) == Gate::exempt) continue;
    ++members;
    gaps += member->record.gaps;
    const auto since = model::idle_since(*member);
    const bool unknown = member->late() && member->record.turn == WIRE_TURN_UNKNOWN;
    if (!member->used() && !member->late()) return "a member was never used";
    if (!since || (gate(*member) != Gate::passes && !unknown)) return "a member is in use";
    if (moment.now_ns - std::min(moment.now_ns, *since) <= wanted)
      return fmt::format("a member was used less than {} ago", seconds_text(wanted));
  }
  if (members < kPoolMembers) return fmt::format("{} members (needs {})", members, kPoolMembers);
  if (gaps <= kReuseWanted)
    return fmt::format("members were used again {} times (needs more than {})", number_text(gaps), kReuseWanted);
  return "";
}

StarvedRequests::Outcome StarvedRequests::evaluate(const Moment& moment) const {
  Outcome outcome;
  const auto& now = group_.process->requests;
  if (!now || !before_) {
    outcome.reason = "no inbound requests were seen";
    return outcome;
  }
  if (const std::uint64_t earlier = sum(before_->answered); earlier < kAnswersWanted) {
    outcome.reason =
        fmt::format("{} inbound requests were answered before (needs {})", number_text(earlier), kAnswersWanted);
    return outcome;
  }
  const Counts answered = less(now->answered, before_->answered);
  const Counts alone = less(now->alone, before_->alone);
  outcome.over_ns = std::max(kLateFactor * median_ns(before_->answered), kLateFloor);
  outcome.all = sum(answered);
  outcome.late = sum(alone, outcome.over_ns);
  outcome.failed = sum(less(now->failed, before_->failed), outcome.over_ns);
  if (outcome.late < kLateWanted || outcome.late * kLateShare < outcome.all) {
    outcome.reason = fmt::format(
        "{} of {} requests since the members fell silent waited longer than {} for nothing else (needs {} "
        "and half)",
        number_text(outcome.late), number_text(outcome.all), seconds_text(outcome.over_ns), kLateWanted);
    return outcome;
  }
  const std::uint64_t span_ns = now->time_ns - before_->time_ns;
  const std::uint64_t earlier_ns = before_->time_ns - before_->first_ns;
  const std::uint64_t earlier = sum(before_->answered, outcome.over_ns);
  if (static_cast<double>(outcome.late) * static_cast<double>(earlier_ns) <
      static_cast<double>(kLateRate * earlier) * static_cast<double>(span_ns)) {
    outcome.reason = fmt::format("{} requests waited as long before", number_text(earlier));
    return outcome;
  }
  if (now->cpu_ns == 0 || (now->cpu_ns - std::min(now->cpu_ns, before_->cpu_ns)) * kCoreShare >= span_ns) {
    outcome.reason = "the process computes meanwhile";
    return outcome;
  }
  outcome.reason = silent(longest_ns(alone), moment);
  outcome.starved = outcome.reason.empty();
  return outcome;
}

RuleAnswer StarvedRequests::answer(const Moment& moment) const {
  RuleAnswer answer{std::string(info().id), std::string(info().name), !claims_.empty(), ""};
  if (claims_.empty()) {
    answer.reason = evaluate(moment).reason;
    return answer;
  }
  for (const std::string& sentence : claims_.front().evidence)
    answer.reason += (answer.reason.empty() ? "" : "; ") + sentence;
  return answer;
}

}  // namespace connleak::detect
