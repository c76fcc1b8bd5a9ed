// SPDX-License-Identifier: Apache-2.0
// Counters of each hook, and the WIRE_LOSS records made of them.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "base/result.hpp"
#include "events/source.hpp"

struct connleak_bpf;  // the skeleton

namespace connleak {

// As enum hook of bpf/emit.h counts them. Its size is checked when the probes are opened.
inline constexpr std::array kHookNames = {
    "state_owned", "state_softirq", "destroy", "send",    "receive",       "egress", "ingress", "unix",
    "fork",        "exec",          "exit",    "storage", "stack_storage", "mptcp",  "driver",  "unread"};

class Losses {
 public:
  // One record for each hook whose numbers changed since the last call, or for all. Failed: a counter is
  // unreadable.
  [[nodiscard]] Result<void> tell(const connleak_bpf& skeleton, ByteSink& sink, bool all);
  void set_attached(std::string_view hook, bool attached);

 private:
  struct Counts {
    std::uint64_t hits = 0, dropped = 0, missed = 0;
    bool attached = true;
    bool operator==(const Counts&) const = default;
  };
  std::array<Counts, kHookNames.size()> counts_{};
  std::array<Counts, kHookNames.size()> told_{};
};

}  // namespace connleak
