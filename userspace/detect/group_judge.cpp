// SPDX-License-Identifier: Apache-2.0
// Judging a group.
#include "detect/group_judge.hpp"

#include <algorithm>
#include <limits>

#include "detect/constants.hpp"

namespace connleak::detect {

GroupJudge::GroupJudge(const model::Model& model, const model::Group& group, std::uint64_t idle_after_ns,
                       TimerLimits limits, Retractions& retractions)
    : model_(model),
      group_(group),
      idle_after_ns_(idle_after_ns),
      limits_(limits),
      retractions_(retractions),
      rules_(make_rules(model, group, limits.hold_after_ns)),
      timers_(limits) {
  ++group_.process->holds;
}

GroupJudge::~GroupJudge() {
  for (const auto& [member, known] : known_) --member->holds;
  --group_.process->holds;
}

const Rule* GroupJudge::accuser(const model::Connection& member) const {
  for (const auto& rule : rules_)
    if (rule->accuses(member)) return rule.get();
  return nullptr;
}

const Rule* GroupJudge::keeper(const model::Connection& member) const {
  for (const auto& rule : rules_)
    if (rule->keeps(member)) return rule.get();
  return nullptr;
}

bool GroupJudge::accuses_any() const {
  if (!timers_.standing().empty()) return true;
  return std::any_of(rules_.begin(), rules_.end(), [](const auto& rule) { return !rule->claims().empty(); });
}

void GroupJudge::note(const model::Connection& member, const TickFacts& facts) {
  prepared_.reset();
  const auto [at, is_new] = known_.try_emplace(&member);
  Known& known = at->second;
  if (is_new) ++member.holds;
  const std::uint64_t born = model::established_at(member);
  if (!known.joined && born != 0) {
    known.joined = true;
    add_step({born, true, member.late(), &member});
  }
  const bool closed = member.liveness == model::Liveness::closed || member.liveness == model::Liveness::failed;
  if (known.closed && !closed) {
    // It was only missed, not gone.
    known.closed = known.exit_closed = false;
    known.steps -= static_cast<std::uint8_t>(
        std::erase_if(steps_, [&](const Step& step) { return step.member == &member && !step.join; }));
    if (known.leaving) std::erase(leaving_, &member);
    known.leaving = false;
    if (known.left) add_step({facts.now_ns, true, true, &member});
    known.left = false;
  }
  const Rule* standing = accuser(member);
  for (const auto& rule : rules_) {
    if (!rule->touched(member)) continue;
    if (rule.get() == standing) ++retractions_[std::string(rule->info().id)];
    rule->release(member);
  }
  if (!known.left)
    for (const auto& rule : rules_) rule->update(member);
  const auto ended = timers_.update(member, facts.now_ns);
  if (ended && accuser(member) == nullptr && standing == nullptr) ++retractions_[verdict_name(*ended)];
  if (!closed || known.closed) return;
  known.closed = true;
  if (!known.joined) {
    drop(member);
    return;
  }
  // Where edges were lost, a connection whose close was not seen may have been closed long before the exit.
  const bool doubtful = member.without_edge && facts.recent_loss && accuser(member) == nullptr;
  known.exit_closed = member.closed_at_exit && !doubtful;
  if (known.exit_closed)
    exit_closed_.push_back(&member);
  else
    add_step({member.without_edge ? member.seen_ns : member.closed_ns, false, false, &member});
}

void GroupJudge::add_step(const Step& step) {
  ++known_.at(step.member).steps;
  steps_.push_back(step);
}

void GroupJudge::expel(const model::Connection& member) {
  const auto found = known_.find(&member);
  if (found == known_.end()) return;
  const bool counted = found->second.joined && !found->second.left;
  const bool pending = std::erase_if(steps_, [&](const Step& s) { return s.member == &member && s.join; }) != 0;
  if (counted && !pending) water_.remove(processed_ns_);
  drop(member);
}

void GroupJudge::drop(const model::Connection& member) {
  for (const auto& rule : rules_) {
    rule->release(member);
    rule->leave(member);
  }
  timers_.remove(member);
  const auto found = known_.find(&member);
  if (found == known_.end()) return;
  if (found->second.steps != 0) std::erase_if(steps_, [&](const Step& step) { return step.member == &member; });
  if (found->second.leaving) std::erase(leaving_, &member);
  if (found->second.exit_closed) std::erase(exit_closed_, &member);
  known_.erase(found);
  --member.holds;
}

void GroupJudge::retract(const model::Connection& member) {
  if (const Rule* standing = accuser(member)) ++retractions_[std::string(standing->info().id)];
  drop(member);
}

Moment GroupJudge::moment(std::uint64_t now_ns) const {
  if (!prepared_) prepared_ = Prepared{idle_cutoff(group_, idle_after_ns_), model_.sessions(*group_.process)};
  return {now_ns, idle_after_ns_, &prepared_->cutoff, &prepared_->sessions};
}

void GroupJudge::run_steps(std::uint64_t settled_ns, const TickFacts& facts) {
  if (steps_.empty()) return;
  std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) {
    if (a.at_ns != b.at_ns) return a.at_ns < b.at_ns;
    if (a.join != b.join) return !a.join;
    return a.member->key < b.member->key;
  });
  std::vector<Step> later;
  std::vector<Step> now;
  for (const Step& step : steps_) (step.at_ns <= settled_ns ? now : later).push_back(step);
  steps_ = std::move(later);
  for (const Step& step : now) {
    processed_ns_ = std::max(processed_ns_, step.at_ns);
    Known& known = known_.at(step.member);
    --known.steps;
    if (!step.join) {
      known.left = known.leaving = true;
      water_.remove(processed_ns_);
      for (const auto& rule : rules_) rule->leave(*step.member);
      leaving_.push_back(step.member);
      continue;
    }
    const Moment at = moment(facts.now_ns);
    const bool record = water_.add(processed_ns_, std::max(kMarkWindow, kMarkWindowT * at.cutoff->ns));
    if (!record || step.quiet) continue;
    for (const auto& rule : rules_) rule->record(processed_ns_, at);
  }
}

void GroupJudge::settle_closes(const TickFacts& facts) {
  const model::Process& process = *group_.process;
  std::vector<const model::Connection*> over;
  std::erase_if(leaving_, [&](const model::Connection* member) {
    if (const Rule* keeper = this->keeper(*member)) {
      if (!keeper->accuses(*member)) return false;  // not judged yet
      for (const auto& rule : rules_)
        if (rule.get() != keeper) rule->release(*member);
      known_.at(member).leaving = false;
      return true;
    }
    const std::uint64_t until = member->closed_ns + kProvisional;
    const bool answered = process.last_answered_ns > member->closed_ns;
    if (!answered && !member->without_edge && (process.alive ? facts.now_ns : process.exited_ns) <= until)
      return false;
    known_.at(member).leaving = false;
    over.push_back(member);
    return true;
  });
  for (const model::Connection* member : over) retract(*member);
  if (!process.alive) return;
  // Its closer was exiting, but the process goes on: a close like any other.
  std::erase_if(exit_closed_, [&](const model::Connection* member) {
    if (facts.now_ns <= member->closed_ns + kProvisional) return false;
    known_.at(member).exit_closed = false;
    add_step({member->closed_ns, false, false, member});
    return true;
  });
}

void GroupJudge::tick(const TickFacts& facts) {
  if (done_) return;
  prepared_.reset();
  run_steps(facts.settled_ns, facts);
  settle_closes(facts);
  for (const auto& rule : rules_)
    if (rule->due(facts.now_ns)) rule->tick(moment(facts.now_ns));
  timers_.tick(facts.now_ns);
}

void GroupJudge::exit(const TickFacts& facts) {
  if (done_) return;
  prepared_.reset();
  const std::uint64_t exited = group_.process->exited_ns;
  TickFacts at_exit = facts;
  at_exit.now_ns = exited;
  run_steps(std::numeric_limits<std::uint64_t>::max(), at_exit);
  settle_closes(at_exit);
  // What is still only leaving was closed while the program ended. Soon after its use: in order. Else, at this
  // instant, it is judged as if it were there.
  const std::uint64_t cutoff = moment(exited).cutoff->ns;
  const std::vector<const model::Connection*> closed = leaving_;
  for (const model::Connection* member : closed)
    if (accuser(*member) == nullptr && model::idle_ns(*member, exited).value_or(0) <= cutoff) drop(*member);
  for (const model::Connection* member : leaving_)
    for (const auto& rule : rules_) rule->update(*member);
  for (const auto& rule : rules_) rule->tick(moment(exited));
  timers_.tick(exited);
  std::vector<const model::Connection*> spared;
  std::vector<const model::Connection*> all;
  exit_closed_.clear();
  leaving_.clear();
  for (auto& [member, known] : known_) {
    known.exit_closed = known.leaving = false;
    if (accuser(*member) != nullptr || timers_.standing().contains(member)) continue;
    if (known.joined) spared.push_back(member);
    all.push_back(member);
  }
  final_spared_ = count_spared(spared);
  final_answers_ = answers();
  done_ = true;
  for (const model::Connection* member : all) drop(*member);
}

}  // namespace connleak::detect
