// SPDX-License-Identifier: Apache-2.0
// Brings the ticks to the groups.
#include "detect/detector.hpp"

#include <fmt/core.h>
#include <sys/socket.h>

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "base/text.hpp"
#include "detect/constants.hpp"
#include "detect/group_judge.hpp"

namespace connleak::detect {

namespace {

// Judged groups of exited processes without findings that are still shown. Each keeps its process in the model.
constexpr std::size_t kDoneKept = 1000;

std::uint64_t count_of(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(std::max<std::chrono::nanoseconds::rep>(0, duration.count()));
}

std::string name_of(const model::GroupKey& key) {
  if (key.address.family == AF_UNIX) return escape(key.address.path);
  std::uint8_t bytes[16];
  std::copy(key.address.bytes.begin(), key.address.bytes.end(), bytes);
  std::string at = fmt::format("{} port {}", format_address(key.address.family, bytes), key.address.port);
  if (key.user.empty()) return at;
  return fmt::format("{} as {} in {}", at, escape(key.user), escape(key.database));
}

}  // namespace

class Detector::Impl {
 public:
  Impl(const model::Model& model, const DetectOptions& options)
      : model_(model), idle_after_ns_(count_of(options.idle_after)) {
    limits_.hold_after_ns = count_of(options.hold_after);
    if (options.max_age) limits_.max_age_ns = count_of(*options.max_age);
  }

  void tick(std::uint64_t now_ns) {
    if (now_ns == ticked_ns_ && model_.final() == final_) return;
    ticked_ns_ = now_ns;
    final_ = model_.final();
    shown_.clear();
    const TickFacts facts = this->facts(now_ns);
    for (const model::Connection* connection : model_.changes()) route(*connection, facts);
    for (auto& [group, judge] : judges_) {
      if (judge->done()) continue;
      const model::Process& process = *group->process;
      if (process.alive) {
        judge->tick(facts);
      } else if (process.exit_settled) {
        judge->exit(facts);
        if (!judge->accuses_any()) done_.push_back(group);
      }
    }
    for (; done_.size() > kDoneKept; done_.pop_front()) judges_.erase(done_.front());
  }

  const std::vector<Finding>& findings(const model::Group& group) const {
    const auto judge = judges_.find(&group);
    static const std::vector<Finding> kNone;
    if (judge == judges_.end()) return kNone;
    const auto [shown, is_new] = shown_.try_emplace(&group);
    if (is_new) shown->second = judge->second->findings();
    return shown->second;
  }

  const GroupJudge* judge(const model::Group* group) const {
    const auto found = judges_.find(group);
    return found == judges_.end() ? nullptr : found->second.get();
  }

  const Retractions& retractions() const { return retractions_; }

 private:
  TickFacts facts(std::uint64_t now_ns) const {
    const std::uint64_t began = model_.scan().began_ns;
    TickFacts facts{now_ns, began > kSettle ? began - kSettle : 0, false};
    // A lost edge shows as a connection that two scans miss: until then who is there is not known.
    const std::uint64_t certain = model_.earlier_scan(2).began_ns;
    const std::uint64_t lost = model_.losses().last_lost_ns;
    if (lost != 0 && lost >= certain) {
      facts.recent_loss = true;
      facts.settled_ns = std::min(facts.settled_ns, certain);
    }
    return facts;
  }

  void route(const model::Connection& connection, const TickFacts& facts) {
    const auto before = where_.find(&connection);
    if (before != where_.end() && before->second.group != connection.group) {
      if (const auto judge = judges_.find(before->second.group);
          judge != judges_.end() && before->second.key == connection.key && !judge->second->done())
        judge->second->expel(connection);
      where_.erase(before);
    }
    if (connection.group == nullptr) return;
    // Addresses are used again once a connection is forgotten, so the key stands beside.
    where_[&connection] = {connection.group, connection.key};
    auto& judge = judges_[connection.group];
    if (!judge) {
      judge = std::make_unique<GroupJudge>(model_, *connection.group, idle_after_ns_, limits_, retractions_);
    }
    if (!judge->done()) judge->note(connection, facts);
    if (connection.liveness == model::Liveness::closed) where_.erase(&connection);
  }

  struct Place {
    const model::Group* group = nullptr;
    model::ConnectionKey key;
  };

  const model::Model& model_;
  std::uint64_t idle_after_ns_;
  TimerLimits limits_;
  Retractions retractions_;
  std::map<const model::Group*, std::unique_ptr<GroupJudge>> judges_;
  std::unordered_map<const model::Connection*, Place> where_;
  std::deque<const model::Group*> done_;
  mutable std::map<const model::Group*, std::vector<Finding>> shown_;
  std::uint64_t ticked_ns_ = 0;
  bool final_ = false;
};

Detector::Detector(const model::Model& model, DetectOptions options)
    : impl_(std::make_unique<Impl>(model, options)) {}
Detector::~Detector() = default;

void Detector::on_event(const Event& event) {
  if (model::Model::is_tick(event)) impl_->tick(event.time_ns);
}

void Detector::on_tick(std::uint64_t now_ns) { impl_->tick(now_ns); }

const std::vector<Finding>& Detector::findings(const model::Group& group) const { return impl_->findings(group); }

std::vector<NotFlagged> Detector::not_flagged(const model::Group& group) const {
  const GroupJudge* judge = impl_->judge(&group);
  return judge != nullptr ? judge->not_flagged() : std::vector<NotFlagged>();
}

std::vector<Retraction> Detector::retractions() const {
  std::vector<Retraction> all;
  for (const auto& [rule, count] : impl_->retractions()) all.push_back({rule, count});
  return all;
}

std::vector<RuleAnswer> Detector::explain(const model::Process& process) const {
  std::vector<RuleAnswer> all;
  for (const auto& [key, group] : process.groups) {
    const GroupJudge* judge = impl_->judge(group.get());
    if (judge == nullptr) continue;
    for (RuleAnswer& answer : judge->answers()) {
      if (process.groups.size() > 1) answer.reason = name_of(key) + ": " + answer.reason;
      all.push_back(std::move(answer));
    }
  }
  return all;
}

std::vector<RuleAnswer> Detector::explain(const model::Connection& connection) const {
  const GroupJudge* judge = connection.group != nullptr ? impl_->judge(connection.group) : nullptr;
  return judge != nullptr ? judge->answers(connection) : std::vector<RuleAnswer>();
}

}  // namespace connleak::detect
