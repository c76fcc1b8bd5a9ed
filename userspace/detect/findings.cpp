// SPDX-License-Identifier: Apache-2.0
// What a judge reports of its group.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <unordered_set>

#include "base/text.hpp"
#include "detect/boosters.hpp"
#include "detect/constants.hpp"
#include "detect/draft.hpp"
#include "detect/gate.hpp"
#include "detect/group_judge.hpp"
#include "detect/pooler_leg.hpp"
#include "detect/server_filter.hpp"

namespace connleak::detect {

namespace {

const char* noun(std::size_t count) { return count == 1 ? "connection" : "connections"; }

// How late in its life the last of them was used; nullopt where one is older than the observer.
std::optional<std::uint64_t> used_within(const Members& members) {
  std::uint64_t longest = 0;
  for (const model::Connection* member : members) {
    if (member->late() || !member->used()) return std::nullopt;
    const std::uint64_t used = member->record.last_use_ns;
    longest = std::max(longest, used - std::min(used, member->key.opened_ns));
  }
  return longest;
}

// Requests that other members served since the one that fell silent first did so.
std::uint64_t served_by_others(const model::Group& group, const Members& members) {
  const auto oldest = std::min_element(members.begin(), members.end(), [](const auto* a, const auto* b) {
    return a->group_requests_at_use < b->group_requests_at_use;
  });
  std::uint64_t own = 0;
  for (const model::Connection* member : members)
    if (member != *oldest) own += member->record.requests;
  const std::uint64_t all = group.requests - (*oldest)->group_requests_at_use;
  return all > own ? all - own : 0;
}

std::string story(const model::Group& group, const Members& members, std::uint64_t epochs) {
  const std::size_t n = members.size();
  std::string text = fmt::format("{} {} opened in {} {}", number_text(n), noun(n), number_text(epochs),
                                 epochs == 1 ? "epoch" : "epochs");
  if (const auto within = used_within(members))
    text += fmt::format("; none of {} was used again after {}",
                        n == 1 ? "it" : fmt::format("these {}", number_text(n)), seconds_text(*within));
  const std::uint64_t others = served_by_others(group, members);
  if (others > 0)
    text += fmt::format(", while others served {} {}", number_text(others), others == 1 ? "request" : "requests");
  return text;
}

}  // namespace

std::uint64_t GroupJudge::judged_ns() const {
  return group_.process->alive || group_.process->exited_ns == 0 ? model_.now_ns() : group_.process->exited_ns;
}

bool GroupJudge::shown(const model::Connection& member) const {
  // A provisional close is shown only if the process turns out to have been exiting.
  return member.liveness != model::Liveness::closed || !group_.process->alive;
}

void GroupJudge::fill(Finding& finding, const Draft& draft) const {
  const Members& members = draft.members;
  finding.verdict = draft.verdict;
  finding.confidence = draft.confidence;
  finding.stack = draft.stacks.front().first;
  for (const auto& [stack, count] : draft.stacks)
    if (stack != nullptr) finding.stacks.push_back(stack);
  std::vector<std::uint64_t> births;
  std::uint64_t own_closes = 0;
  for (const model::Connection* member : members) {
    births.push_back(member->key.opened_ns);
    const bool own = member->liveness == model::Liveness::closed && !member->closed_at_exit;
    own_closes += own ? 1U : 0U;
    finding.members.push_back({member, own});
  }
  finding.epochs = count_epochs(std::move(births), idle_after_ns_);
  finding.closed_at_exit = own_closes != 0;
  finding.judged_ns = judged_ns();
  const std::uint64_t lost = model_.losses().last_lost_ns;
  finding.complete = lost == 0 || lost <= members.front()->key.opened_ns;
  finding.server_filter = server_filter(members);
  const auto has = [&](StackOf kind) {
    return std::any_of(members.begin(), members.end(),
                       [&](const auto* m) { return stack_of(*m, kind) == finding.stack; });
  };
  if (finding.stack != nullptr)
    finding.stack_of = has(StackOf::acquire)    ? StackOf::acquire
                       : has(StackOf::last_use) ? StackOf::last_use
                                                : StackOf::open;
  const auto is_used = [](const auto* m) { return m->last_use_stack != nullptr; };
  if (finding.stack_of == StackOf::open && names_culprit(finding.stack) &&
      std::any_of(members.begin(), members.end(), is_used) &&
      std::none_of(members.begin(), members.end(), [](const auto* m) { return names_culprit(m->last_use_stack); }))
    finding.why.emplace_back(
        "where they were used last no frame of the application is seen, as with drivers that write from a task of "
        "their own: the stack is of who opened them");
  if (own_closes != 0)
    finding.why.push_back(
        fmt::format("closed at exit: {} {} closed only in the last {} s before the process ended",
                    number_text(own_closes), own_closes == 1 ? "was" : "were", kProvisional / kSecond));
  if (!finding.complete) finding.why.emplace_back("events were lost since the oldest of them was opened");
}

Finding GroupJudge::finding_of(const Draft& draft) const {
  Finding finding;
  const RuleInfo& info = draft.rule->info();
  const Members& members = draft.members;
  finding.flagged_ns = draft.since_ns;
  finding.rule = std::string(info.id);
  finding.name = std::string(info.name);
  std::vector<std::uint64_t> births;
  for (const model::Connection* member : members) births.push_back(member->key.opened_ns);
  finding.why.push_back(story(group_, members, count_epochs(std::move(births), idle_after_ns_)));
  finding.why.insert(finding.why.end(), draft.evidence.begin(), draft.evidence.end());
  for (std::string& sentence : boosters(group_, members, judged_ns())) finding.why.push_back(std::move(sentence));
  for (const auto& other : rules_)
    if (other->info().id != info.id &&
        std::any_of(members.begin(), members.end(), [&](const auto* m) { return other->accuses(*m); }))
      finding.also.emplace_back(other->info().id);
  if (const PinnedLegs legs = pinned_legs(model_, members); legs.fires()) {
    finding.why.push_back(sentence(legs));
    finding.also.emplace_back("L12");
  }
  finding.fork_stack = draft.fork_stack;
  fill(finding, draft);
  return finding;
}

Finding GroupJudge::standing_finding_of(const Draft& draft) const {
  Finding finding;
  const Standing standing = draft.standing;
  const Members& members = draft.members;
  finding.name = standing_name(standing);
  const std::size_t n = members.size();
  std::uint64_t longest = 0;
  std::uint64_t oldest = 0;
  std::size_t leased = 0;
  for (const model::Connection* member : members) {
    leased += !idle_in_transaction(*member) && leased_idle_since(*member) ? 1U : 0U;
    const auto since =
        standing == Standing::half_closed ? std::optional(server_gone_at(*member)) : model::idle_since(*member);
    if (since) longest = std::max(longest, judged_ns() - std::min(judged_ns(), *since));
    oldest = std::max(oldest, model::age(*member, judged_ns()).ns);
  }
  switch (standing) {
    case Standing::half_closed:
      finding.why.push_back(
          fmt::format("{} {} whose server is gone for up to {}, not noticed by the program yet; a lazy "
                      "pool closes such at its next borrow",
                      number_text(n), noun(n), seconds_text(longest)));
      break;
    case Standing::held:
      finding.why.push_back(
          fmt::format("{} {} {} for up to {}, longer than --hold-after ({}); may still come back", number_text(n),
                      noun(n), leased == n ? "taken out of the pool and silent" : "idle in an open transaction",
                      seconds_text(longest), seconds_text(limits_.hold_after_ns)));
      break;
    case Standing::old:
      finding.why.push_back(fmt::format("{} {} up to {} old, over --max-age ({})", number_text(n), noun(n),
                                        seconds_text(oldest), seconds_text(*limits_.max_age_ns)));
      break;
  }
  fill(finding, draft);
  return finding;
}

namespace {

// Who holds a lease took it there; else who used it last.
const model::Stack* held_stack(Standing standing, const model::Connection& member) {
  const bool leased = standing == Standing::held && leased_idle_since(member);
  const model::Stack* acquired = leased ? stack_of(member, StackOf::acquire) : nullptr;
  return acquired != nullptr ? acquired : member.last_use_stack;
}

}  // namespace

std::vector<Draft> GroupJudge::drafts() const {
  std::vector<Draft> all;
  std::unordered_set<const model::Connection*> taken;
  for (const auto& rule : rules_) {
    const RuleInfo& info = rule->info();
    for (const Claim& claim : rule->claims()) {
      Draft one;
      for (const model::Connection* member : claim.members)
        if ((shown(*member) || rule->keeps(*member)) && taken.insert(member).second) one.members.push_back(member);
      if (one.members.empty()) continue;
      std::sort(one.members.begin(), one.members.end(), by_birth);
      one.rule = rule.get();
      one.confidence = claim.confidence.value_or(info.confidence);
      one.verdict = level(one.confidence, info.single_is_leak, one.members.size());
      one.since_ns = claim.since_ns;
      one.evidence = claim.evidence;
      one.fork_stack = claim.fork_stack;
      one.stacks = {{blamed(claim.stack, one.members), one.members.size()}};
      add_draft(all, std::move(one));
    }
  }
  std::map<std::pair<Standing, const model::Stack*>, Members> standing;
  for (const auto& [member, kind] : timers_.standing())
    if (!taken.contains(member)) standing[{kind, held_stack(kind, *member)}].push_back(member);
  std::vector<Draft> held;
  for (auto& [kind, members] : standing) {
    Draft one;
    one.standing = kind.first;
    one.verdict = kind.first == Standing::held ? Verdict::held : Verdict::stale;
    one.members = std::move(members);
    std::sort(one.members.begin(), one.members.end(), by_birth);
    one.stacks = {{blamed(kind.second, one.members), one.members.size()}};
    held.push_back(std::move(one));
  }
  // The map's order is that of addresses in memory.
  std::sort(held.begin(), held.end(),
            [](const Draft& a, const Draft& b) { return by_birth(a.members.front(), b.members.front()); });
  for (Draft& one : held) add_draft(all, std::move(one));
  return all;
}

std::vector<Finding> GroupJudge::findings() const {
  std::vector<Finding> all;
  for (const Draft& draft : drafts())
    all.push_back(draft.rule != nullptr ? finding_of(draft) : standing_finding_of(draft));
  std::sort(all.begin(), all.end(), [](const Finding& a, const Finding& b) {
    const auto id = [](const Finding& f) { return f.stack != nullptr ? f.stack->id : std::string(); };
    if (a.verdict != b.verdict) return a.verdict < b.verdict;
    if (a.members.size() != b.members.size()) return a.members.size() > b.members.size();
    return std::tuple(id(a), a.name, a.members.front().connection->key) <
           std::tuple(id(b), b.name, b.members.front().connection->key);
  });
  return all;
}

std::string GroupJudge::spared(const model::Connection& member) const {
  const Moment now = moment(judged_ns());
  if (server_gone_at(member) != 0) return "half-closed a moment ago";
  const Gate at_gate = gate(member);
  if (at_gate == Gate::not_established || at_gate == Gate::handshake) return "logging in";
  if (at_gate == Gate::exempt)
    return "exempt: a pooler's, or a listener's, a subscriber's or a replica's, which wait by design";
  if (at_gate == Gate::in_use && member.record.turn == WIRE_TURN_SERVER) return "in use: an answer is due";
  if (at_gate == Gate::in_use && !member.late()) return "whose turn it is cannot be seen";
  if (idle_in_transaction(member))
    return fmt::format("in an open transaction for less than --hold-after ({})",
                       seconds_text(limits_.hold_after_ns));
  if (!member.used() && member.late()) return "older than the observer and silent since: not seen growing";
  if (!member.used()) return "never used: ready since the login, as a pool keeps spares";
  const auto since = model::idle_since(member);
  if (!since || judged_ns() < *since + now.cutoff->ns)
    return fmt::format("idle for less than {}", seconds_text(now.cutoff->ns));
  for (const auto& rule : rules_) {
    std::string reason = rule->spared(member, now);
    if (reason.empty()) continue;
    if (rule->claims().empty() && water_.record_count() != 0 && judged_ns() > water_.record_ns() + now.cutoff->ns)
      return fmt::format(
          "idle: the count has not grown since its high-water mark of {}; a pool keeps such spares ({})",
          number_text(water_.record_count()), reason);
    return "idle: " + reason;
  }
  return "idle";
}

std::vector<NotFlagged> GroupJudge::count_spared(const Members& members) const {
  std::map<std::string, std::uint64_t> reasons;
  for (const model::Connection* member : members) ++reasons[spared(*member)];
  std::vector<NotFlagged> all;
  all.reserve(reasons.size());
  for (const auto& [reason, count] : reasons) all.push_back({count, reason});
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.connections > b.connections; });
  return all;
}

std::vector<NotFlagged> GroupJudge::not_flagged() const {
  if (done_) return final_spared_;
  Members members;
  for (const model::Connection* member : group_.members)
    if (accuser(*member) == nullptr && !timers_.standing().contains(member)) members.push_back(member);
  return count_spared(members);
}

RuleAnswer GroupJudge::pooler_answer() const {
  Members accused;
  for (const auto& rule : rules_)
    for (const Claim& claim : rule->claims())
      accused.insert(accused.end(), claim.members.begin(), claim.members.end());
  const PinnedLegs legs = pinned_legs(model_, accused);
  return {"L12", "pooler-leg", legs.fires(), accused.empty() ? "none is accused" : sentence(legs)};
}

std::vector<RuleAnswer> GroupJudge::answers() const {
  if (done_) return final_answers_;
  std::vector<RuleAnswer> all;
  all.reserve(rules_.size() + 3);
  for (const auto& rule : rules_) all.push_back(rule->answer(moment(judged_ns())));
  all.push_back(pooler_answer());
  std::size_t held = 0;
  std::size_t stale = 0;
  for (const auto& [member, kind] : timers_.standing()) ++(kind == Standing::held ? held : stale);
  all.push_back({"HELD", "held", held != 0,
                 fmt::format("{} idle in a transaction, or out of their pool, for longer than --hold-after ({})",
                             held, seconds_text(limits_.hold_after_ns))});
  all.push_back({"STALE", "stale", stale != 0, fmt::format("{} half-closed or older than --max-age", stale)});
  return all;
}

std::vector<RuleAnswer> GroupJudge::answers(const model::Connection& member) const {
  std::vector<RuleAnswer> all;
  const Rule* standing = accuser(member);
  const Moment now = moment(judged_ns());
  for (const auto& rule : rules_) {
    RuleAnswer answer = rule->answer(now);
    const bool of_group = answer.fires;
    answer.fires = rule->accuses(member);
    if (!answer.fires) {
      const std::string reason = rule->spared(member, now);
      answer.reason = !reason.empty() ? reason : of_group ? "fires for others of its group" : spared(member);
    } else if (rule.get() != standing) {
      answer.reason += "; it stands in an earlier rule's finding";
    }
    all.push_back(std::move(answer));
  }
  RuleAnswer pooler = pooler_answer();
  pooler.fires = pooler.fires && standing != nullptr;
  if (standing == nullptr) pooler.reason = "it is not accused";
  all.push_back(std::move(pooler));
  const auto kind = timers_.standing().find(&member);
  const bool any = kind != timers_.standing().end();
  const bool held = any && kind->second == Standing::held;
  all.push_back({"HELD", "held", held,
                 held ? "idle in an open transaction, or out of its pool, longer than --hold-after"
                      : "neither an open transaction nor out of its pool longer than --hold-after"});
  all.push_back({"STALE", "stale", any && !held,
                 any && !held ? standing_name(kind->second) : "neither half-closed nor older than --max-age"});
  return all;
}

}  // namespace connleak::detect
