// SPDX-License-Identifier: Apache-2.0
// --comm, --exe, --cgroup, --endpoint, --port: which connections are let through.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "events/event.hpp"
#include "report/scope.hpp"

namespace connleak {

// Works on events, so that live streams and recordings are scoped alike. (--pid is applied in the kernel, and
// for recordings by the process tree that the events tell.)
class ScopeFilter {
 public:
  // follow_pids: apply --pid here, too (recordings).
  ScopeFilter(const ScopeOptions& options, bool follow_pids);

  // False: the event concerns a connection that is out of scope.
  [[nodiscard]] bool admits(const Event& event);

 private:
  struct ProcessFacts {
    std::string exe;
    std::string cgroup;
  };
  [[nodiscard]] bool matches(const ConnectionEvent& event) const;

  const ScopeOptions& options_;
  bool follow_pids_;
  bool by_connection_;
  std::unordered_set<std::uint32_t> pids_;
  std::unordered_map<std::uint32_t, ProcessFacts> processes_;  // by pid; the newest counts
  std::unordered_set<std::uint64_t> rejected_;                 // cookies
};

}  // namespace connleak
