// SPDX-License-Identifier: Apache-2.0
// One group before its rules: brings what happened to its members into the order of time.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "detect/draft.hpp"
#include "detect/high_water.hpp"
#include "detect/rule.hpp"
#include "detect/timers.hpp"
#include "detect/verdict.hpp"
#include "model/model.hpp"

namespace connleak::detect {

// What a tick brings to every group.
struct TickFacts {
  std::uint64_t now_ns = 0;
  std::uint64_t settled_ns = 0;  // what happened up to here can be judged: last uses since are known
  bool recent_loss = false;      // edges were lost lately, so that a missing one proves nothing
};

using Retractions = std::map<std::string, std::uint64_t>;

class GroupJudge {
 public:
  // All are borrowed; the process of the group is kept by the model while the judge lives.
  GroupJudge(const model::Model& model, const model::Group& group, std::uint64_t idle_after_ns, TimerLimits limits,
             Retractions& retractions);
  ~GroupJudge();
  GroupJudge(const GroupJudge&) = delete;
  GroupJudge& operator=(const GroupJudge&) = delete;

  // Facts of a member changed, or it is new here.
  void note(const model::Connection& member, const TickFacts& facts);
  // It belongs elsewhere.
  void expel(const model::Connection& member);
  void tick(const TickFacts& facts);
  // The process has exited and its closed edges are in: judged once more, at that instant, and then left as it is.
  void exit(const TickFacts& facts);

  [[nodiscard]] const model::Group& group() const { return group_; }
  [[nodiscard]] bool done() const { return done_; }
  [[nodiscard]] bool accuses_any() const;
  [[nodiscard]] std::vector<Finding> findings() const;
  [[nodiscard]] std::vector<NotFlagged> not_flagged() const;
  [[nodiscard]] std::vector<RuleAnswer> answers() const;
  [[nodiscard]] std::vector<RuleAnswer> answers(const model::Connection& member) const;

 private:
  struct Known {
    bool joined = false;
    bool left = false;
    bool closed = false;
    bool exit_closed = false;  // closed by the exit itself: does not leave
    bool leaving = false;      // in leaving_
    std::uint8_t steps = 0;    // of it in steps_
  };
  struct Step {
    std::uint64_t at_ns = 0;
    bool join = false;
    bool quiet = false;  // counts, but is no record
    const model::Connection* member = nullptr;
  };
  struct Prepared {
    Cutoff cutoff;
    std::vector<model::Session> sessions;
  };

  void add_step(const Step& step);
  void run_steps(std::uint64_t settled_ns, const TickFacts& facts);
  void settle_closes(const TickFacts& facts);
  void drop(const model::Connection& member);
  void retract(const model::Connection& member);
  [[nodiscard]] const Rule* accuser(const model::Connection& member) const;
  [[nodiscard]] const Rule* keeper(const model::Connection& member) const;
  [[nodiscard]] Moment moment(std::uint64_t now_ns) const;
  [[nodiscard]] std::uint64_t judged_ns() const;
  [[nodiscard]] std::vector<Draft> drafts() const;
  [[nodiscard]] Finding finding_of(const Draft& draft) const;
  [[nodiscard]] Finding standing_finding_of(const Draft& draft) const;
  void fill(Finding& finding, const Draft& draft) const;
  [[nodiscard]] RuleAnswer pooler_answer() const;
  [[nodiscard]] std::string spared(const model::Connection& member) const;
  [[nodiscard]] bool shown(const model::Connection& member) const;
  [[nodiscard]] std::vector<NotFlagged> count_spared(const std::vector<const model::Connection*>& members) const;

  const model::Model& model_;
  const model::Group& group_;
  std::uint64_t idle_after_ns_;
  TimerLimits limits_;
  Retractions& retractions_;
  std::vector<std::unique_ptr<Rule>> rules_;
  Timers timers_;
  HighWater water_;
  std::unordered_map<const model::Connection*, Known> known_;
  std::vector<Step> steps_;
  std::vector<const model::Connection*> leaving_;      // closed, provisionally
  std::vector<const model::Connection*> exit_closed_;  // closed by an exit whose edge is awaited
  std::uint64_t processed_ns_ = 0;
  mutable std::optional<Prepared> prepared_;  // T and sessions of this tick
  bool done_ = false;
  std::vector<NotFlagged> final_spared_;
  std::vector<RuleAnswer> final_answers_;
};

}  // namespace connleak::detect
