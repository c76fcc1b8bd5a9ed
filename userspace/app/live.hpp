// SPDX-License-Identifier: Apache-2.0
// The running observer: when to drain, when to scan, when it is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include "app/enrich.hpp"
#include "app/options.hpp"
#include "probes/probes.hpp"

namespace connleak {

class Live {
 public:
  // Attaches. Processes of --pid are checked to exist (ErrorKind::usage); their descendants are taken in.
  // With `child` only that process and what it starts is observed, from its first instruction on.
  [[nodiscard]] static Result<std::unique_ptr<Live>> open(const Options& options, std::uint32_t child = 0);

  // Where the enriched stream goes; set before the first step(), borrowed.
  void to(ByteSink& sink);
  [[nodiscard]] const Preamble& preamble() const { return probes_->preamble(); }

  // Drains for at most `wait`, then scans if that is due. `settle_due_ns`: the model wants a scan that began
  // at or after this stamp (0: none). `holders_wanted`: one of holders would tell it something.
  [[nodiscard]] Result<void> step(std::chrono::milliseconds wait, std::uint64_t settle_due_ns,
                                  bool holders_wanted);
  // The last look: holders, levels and the final mark.
  [[nodiscard]] Result<void> finish();

  // True when --pid named processes and all of them are gone, with their descendants.
  [[nodiscard]] bool watched_gone() const;

 private:
  Live(const Options& options) : scope_(options.scope, false) {}
  [[nodiscard]] Result<void> watch_trees(const std::vector<std::uint32_t>& roots);

  ScopeFilter scope_;
  std::unique_ptr<Probes> probes_;
  std::unique_ptr<Enrich> enrich_;
  std::vector<std::uint32_t> roots_;
  std::vector<std::uint32_t> watched_;
  bool child_ = false;
  std::optional<std::vector<std::string>> drivers_;  // as in Options::probes
  std::uint64_t met_ = 0;                            // processes, as Enrich counts them
  std::uint64_t level_interval_ns_ = 0;
  std::uint64_t next_levels_ns_ = 0;
  std::uint64_t holders_interval_ns_ = 0;
  std::uint64_t next_holders_ns_ = 0;
  std::uint64_t wanted_holders_ns_ = 0;  // where one is wanted
};

}  // namespace connleak
