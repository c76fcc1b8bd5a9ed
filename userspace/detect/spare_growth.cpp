// SPDX-License-Identifier: Apache-2.0
// Spare-at-growth.
#include "detect/spare_growth.hpp"

#include <fmt/core.h>

#include <algorithm>

#include "detect/constants.hpp"
#include "detect/sessions.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

// How the members of one place came into S in a run; they are added in the order in which they fell silent.
struct Growth {
  std::uint64_t count = 0;
  std::uint64_t rises = 0;
  std::vector<std::uint64_t> births_ns;
  bool grew_beside_spare = false;  // one was opened while another had counted already

  // A pool that was filled once and then fell silent beside a leak is no part of it.
  [[nodiscard]] bool own() const { return rises >= kRisesWanted || grew_beside_spare; }

  void add(const Series::Entry& entry, std::uint64_t opened_ns, std::uint64_t idle_ns) {
    if (count++ == 0) oldest_ns_ = entry.since_ns;
    births_ns.push_back(opened_ns);
    grew_beside_spare = grew_beside_spare || opened_ns > oldest_ns_ + idle_ns;
    if (rises != 0 && (entry.joined_record == record_ || entry.since_ns < rise_ns_ + kBurst)) return;
    ++rises;
    record_ = entry.joined_record;
    rise_ns_ = entry.since_ns;
  }

 private:
  std::uint64_t oldest_ns_ = 0;
  std::uint64_t record_ = 0;
  std::uint64_t rise_ns_ = 0;
};

}  // namespace

// Without an application frame the place is unknown, and all unknown ones are one.
const model::Stack* SpareGrowth::place_of(const model::Connection& member) const {
  const model::Stack* stack = options_.by_open_stack ? member.open_stack : member.last_use_stack;
  return stack != nullptr && stack->has_application_frame() ? stack : nullptr;
}

bool SpareGrowth::touched(const model::Connection& member) const {
  const auto accused = accused_.find(&member);
  if (accused == accused_.end()) return false;
  const auto now = since(member);
  return !now || *now > accused->second;
}

void SpareGrowth::update(const model::Connection& member) {
  if (const auto now = since(member))
    series_.set(&member, *now, model::thread_key(member.record.last_user));
  else
    series_.drop(&member);
  dirty_ = true;
}

void SpareGrowth::leave(const model::Connection& member) {
  series_.drop(&member);
  dirty_ = true;
}

void SpareGrowth::release(const model::Connection& member) {
  if (accused_.erase(&member) == 0) return;
  for (Claim& claim : claims_) std::erase(claim.members, &member);
  drop_empty();
}

void SpareGrowth::drop_empty() {
  std::erase_if(claims_, [](const Claim& claim) { return claim.members.empty(); });
  if (claims_.empty()) accepted_.clear();
}

Claim& SpareGrowth::claim_of(const model::Stack* stack, std::uint64_t since_ns) {
  const auto found =
      std::find_if(claims_.begin(), claims_.end(), [&](const Claim& c) { return c.stack == stack; });
  if (found != claims_.end()) return *found;
  return claims_.emplace_back(Claim{stack, since_ns, {}, evidence_, std::nullopt});
}

void SpareGrowth::regroup() {
  // A stack may come after its connection was accused: it is read only from what has long been silent.
  std::vector<std::pair<const model::Connection*, std::uint64_t>> moved;  // and since when it was accused
  for (Claim& claim : claims_)
    std::erase_if(claim.members, [&](const model::Connection* member) {
      if (place_of(*member) == claim.stack) return false;
      moved.emplace_back(member, claim.since_ns);
      return true;
    });
  for (const auto& [member, since_ns] : moved) {
    accepted_.insert(place_of(*member));
    claim_of(place_of(*member), since_ns).members.push_back(member);
  }
  if (!moved.empty()) drop_empty();
}

const Ladder& SpareGrowth::ladder() const { return group_.affine() ? series_.owner() : series_.total(); }

std::uint64_t SpareGrowth::gain_wanted(const Moment& moment) const {
  return options_.needs_idle && moment.cutoff->thin ? kGainWantedThin : kGainWanted;
}

std::uint64_t SpareGrowth::cutoff_at(std::uint64_t at_ns, const Moment& moment) const {
  if (!options_.needs_idle) return at_ns + 1;
  return at_ns > moment.cutoff->ns ? at_ns - moment.cutoff->ns : 0;
}

void SpareGrowth::record(std::uint64_t at_ns, const Moment& moment) {
  series_.record(at_ns, cutoff_at(at_ns, moment));
  dirty_ = true;
  // Once it fires, new places are looked for once a tick: a leak sets records by the thousand.
  if (claims_.empty())
    judge(moment);
  else
    recorded_ = true;
}

void SpareGrowth::judge(const Moment& moment) {
  const Outcome outcome = evaluate(moment);
  if (!outcome.fires) return;
  evidence_ = evidence(outcome, moment);
  accepted_.insert(outcome.stacks.begin(), outcome.stacks.end());
  take_in(moment);
}

void SpareGrowth::tick(const Moment& moment) {
  if (claims_.empty()) return;
  if (dirty_) regroup();
  if (recorded_) judge(moment);
  recorded_ = false;
  const bool crossed = series_.advance(cutoff_at(moment.now_ns, moment));
  if (crossed || dirty_ || !moment.sessions->empty()) take_in(moment);
  dirty_ = false;
}

void SpareGrowth::take_in(const Moment& moment) {
  std::unordered_set<const model::Connection*> paired;
  if (options_.pairs_sessions) paired = paired_members(cold(), *moment.sessions);
  for (const auto& [since_ns, member] : series_.cold()) {
    if (accused_.contains(member) || paired.contains(member) || own_thread_only(*member)) continue;
    if (!accepted_.contains(place_of(*member))) continue;
    claim_of(place_of(*member), moment.now_ns).members.push_back(member);
    accused_.emplace(member, since_ns);
  }
  drop_empty();
}

std::vector<const model::Connection*> SpareGrowth::cold() const {
  std::vector<const model::Connection*> members;
  members.reserve(series_.cold().size());
  for (const auto& [since_ns, member] : series_.cold()) members.push_back(member);
  return members;
}

bool SpareGrowth::own_thread_only(const model::Connection& member) const {
  // The one connection of a worker is what a thread-affine pool keeps in good health.
  return group_.affine() && series_.cold_of(model::thread_key(member.record.last_user)) < 2;
}

SpareGrowth::Outcome SpareGrowth::evaluate(const Moment& moment) const {
  Outcome outcome;
  const Ladder& run = ladder();
  const std::uint64_t wanted = gain_wanted(moment);
  const char* of_owner = group_.affine() ? " of any one thread" : "";
  if (run.last == 0) {
    outcome.reason = fmt::format("never grew while a spare{} was {}", of_owner, options_.state);
    return outcome;
  }
  if (run.gain() < wanted) {
    if (wanted == kGainWantedThin && run.gain() >= kGainWanted)
      outcome.reason = fmt::format("history is thin: gained {}, needs {}", number_text(run.gain()), wanted);
    else
      outcome.reason = fmt::format("{} {}{} when it grew last, a gain of {} (needs {})", number_text(run.last),
                                   options_.state, of_owner, number_text(run.gain()), wanted);
    return outcome;
  }
  if (run.records < kRecordsWanted || run.rises < kRisesWanted) {
    outcome.reason = fmt::format("the {} ones rose {} times over {} high-water marks (needs {} and {})",
                                 options_.state, run.rises, run.records, kRisesWanted, kRecordsWanted);
    return outcome;
  }
  outcome.reason = veto();
  if (!outcome.reason.empty()) return outcome;
  const auto members = cold();
  if (options_.pairs_sessions && !moment.sessions->empty()) {
    const std::size_t unpaired = members.size() - paired_members(members, *moment.sessions).size();
    if (unpaired < kUnpairedWanted) {
      outcome.reason = fmt::format("all but {} are paired with an open inbound session (needs {} that are not)",
                                   unpaired, kUnpairedWanted);
      return outcome;
    }
  }
  // In affine groups the members that made the series are those of the owners with the most.
  std::unordered_map<const model::Stack*, Growth> joined;
  const std::uint64_t idle_ns = options_.needs_idle ? moment.cutoff->ns : 0;
  for (const model::Connection* member : members) {
    const Series::Entry& entry = *series_.find(member);
    if (entry.joined_record <= run.start_record) continue;
    if (group_.affine() && series_.cold_of(entry.owner) < series_.largest()) continue;
    const model::Stack* place = place_of(*member);
    joined[place].add(entry, member->key.opened_ns, idle_ns);
    outcome.frames = outcome.frames || place != nullptr;
  }
  bool settled = false;
  for (const auto& [stack, growth] : joined) {
    const bool agreed = stack != nullptr && growth.count >= kStackAgreement &&
                        count_epochs(growth.births_ns, moment.idle_after_ns) >= options_.epochs_wanted;
    const bool unknown = !outcome.frames && !options_.by_open_stack;
    if (unknown || (agreed && growth.own())) outcome.stacks.insert(stack);
    settled = settled || agreed;
  }
  if (outcome.stacks.empty()) {
    outcome.reason = settled ? fmt::format("those {} that share a place fell silent together, none opened later",
                                           options_.state)
                             : fmt::format(
                                   "the {} ones come from {} places, none with {} in {} epochs (a pool of each "
                                   "place is healthy)",
                                   options_.state, joined.size(), kStackAgreement, options_.epochs_wanted);
    return outcome;
  }
  outcome.fires = true;
  return outcome;
}

std::vector<std::string> SpareGrowth::evidence(const Outcome& outcome, const Moment& moment) const {
  const Ladder& run = ladder();
  std::vector<std::string> sentences;
  sentences.push_back(
      fmt::format("over {} high-water marks in a row the count of {} ones{} rose {} times, from {} to {}, and "
                  "never fell: new ones were "
                  "opened while those were there",
                  number_text(run.records), options_.state, group_.affine() ? " of one thread" : "",
                  number_text(run.rises), number_text(run.first), number_text(run.last)));
  if (options_.needs_idle) {
    sentences.push_back(explain(*moment.cutoff));
    if (moment.cutoff->thin)
      sentences.push_back(
          fmt::format("few connections were ever used twice, so a gain of {} was wanted; it was {}",
                      kGainWantedThin, number_text(run.gain())));
  }
  if (!outcome.frames)
    sentences.emplace_back("no frame of the application's own code is known, so the place is not either");
  if (options_.pairs_sessions && !moment.sessions->empty())
    sentences.push_back(
        fmt::format("{} inbound sessions are open; connections with one of their own are not counted",
                    number_text(moment.sessions->size())));
  return sentences;
}

RuleAnswer SpareGrowth::answer(const Moment& moment) const {
  RuleAnswer answer{std::string(options_.info.id), std::string(options_.info.name), !claims_.empty(), ""};
  if (claims_.empty()) {
    answer.reason = evaluate(moment).reason;
    if (answer.reason.empty())
      answer.reason = "its conditions are met since the latest growth; judged at the next";
    return answer;
  }
  for (const std::string& sentence : evidence_) answer.reason += (answer.reason.empty() ? "" : "; ") + sentence;
  return answer;
}

std::string SpareGrowth::spared(const model::Connection& member, const Moment& moment) const {
  if (!since(member)) return "";
  if (claims_.empty()) return evaluate(moment).reason;
  if (options_.pairs_sessions && paired_members(cold(), *moment.sessions).contains(&member))
    return "each has an open inbound session of its own";
  if (own_thread_only(member)) return "the only one of its thread";
  return "last used from another place than the accused ones";
}

}  // namespace connleak::detect
