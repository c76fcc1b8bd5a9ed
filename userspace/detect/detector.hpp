// SPDX-License-Identifier: Apache-2.0
// Model -> verdicts with reasons.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "detect/verdict.hpp"
#include "model/model.hpp"

namespace connleak::detect {

struct DetectOptions {
  std::chrono::nanoseconds idle_after = std::chrono::seconds(30);
  std::chrono::nanoseconds hold_after = std::chrono::seconds(60);
  std::optional<std::chrono::nanoseconds> max_age;  // nullopt: off
};

// Feed it each event after the model has applied it. It judges at the ticks, by itself:
//   model.apply(event); detector.on_event(event);
// What it returns stays valid until the next on_event(). Findings of exited processes stay (their connections and
// processes are kept by the model for as long).
class Detector {
 public:
  Detector(const model::Model& model, DetectOptions options);
  ~Detector();
  Detector(const Detector&) = delete;
  Detector& operator=(const Detector&) = delete;

  void on_event(const Event& event);
  // Judges at `now_ns`; on_event() calls it at each tick, a second call for the same instant does nothing.
  void on_tick(std::uint64_t now_ns);

  // Worst first: LEAK, SUSPECT, HELD, STALE; then by number of members, then by stack id.
  [[nodiscard]] const std::vector<Finding>& findings(const model::Group& group) const;
  // The held members of the group that stand in no finding, by reason, largest first.
  [[nodiscard]] std::vector<NotFlagged> not_flagged(const model::Group& group) const;
  // By rule; only those that happened.
  [[nodiscard]] std::vector<Retraction> retractions() const;
  // Each rule's yes or no for each group of the process ("group: ..." precedes the reason where there are
  // several).
  [[nodiscard]] std::vector<RuleAnswer> explain(const model::Process& process) const;
  [[nodiscard]] std::vector<RuleAnswer> explain(const model::Connection& connection) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace connleak::detect

namespace connleak {
using detect::DetectOptions;
using detect::Detector;
}  // namespace connleak
