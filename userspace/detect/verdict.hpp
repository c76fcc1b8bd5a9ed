// SPDX-License-Identifier: Apache-2.0
// What is reported: findings, what was not flagged, and the level of a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/rule.hpp"

namespace connleak::detect {

struct Member {
  const model::Connection* connection = nullptr;  // valid while the finding is
  bool closed_at_exit = false;                    // closed by its program in the last 2 s before that exited
};

// Which of a connection's stacks a finding blames: where it was used last; where it was opened, because no last
// use is known or the rule blames who opened; where it was taken out of its pool.
enum class StackOf { last_use, open, acquire };

[[nodiscard]] const model::Stack* stack_of(const model::Connection& connection, StackOf kind);

struct Finding {
  Verdict verdict = Verdict::suspect;
  std::optional<std::string> rule;  // nullopt for HELD and STALE
  std::string name;                 // "never-closed"; "held"; "half-closed", "old" for STALE
  Confidence confidence = Confidence::medium;
  bool complete = true;                      // false: events were lost since its oldest member was opened
  std::uint64_t epochs = 0;                  // of the members' births
  const model::Stack* stack = nullptr;       // that most members have
  std::vector<const model::Stack*> stacks;   // all that are blamed, most members first: one line of code
  const model::Stack* fork_stack = nullptr;  // L6: where its holder was forked, which is to blame
  StackOf stack_of = StackOf::last_use;
  std::vector<std::string> why;
  std::vector<std::string> also;  // other rules that fit some of the members
  bool closed_at_exit = false;    // some members were closed only while the program exited
  std::vector<Member> members;    // by opened stamp, then cookie
  std::uint64_t flagged_ns = 0;   // when the rule accused the first of them; 0 for HELD and STALE
  std::uint64_t judged_ns = 0;    // ages and idle times of the members refer to this instant
  std::optional<std::string> server_filter;
};

struct NotFlagged {
  std::uint64_t connections = 0;
  std::string reason;
};

struct Retraction {
  std::string rule;  // "L1", "HELD", "STALE"
  std::uint64_t connections = 0;
};

// LEAK, or SUSPECT for fewer than 3 connections or a rule that is not sure.
// `single_is_leak`: as in RuleInfo.
[[nodiscard]] Verdict level(Confidence confidence, bool single_is_leak, std::size_t connections);

// Births further apart than max(--idle-after, 0.3 s) are different epochs.
[[nodiscard]] std::uint64_t count_epochs(std::vector<std::uint64_t> births_ns, std::uint64_t idle_after_ns);

// 1234567 -> "1,234,567"; 320000000 ns -> "0.32 s".
[[nodiscard]] std::string number_text(std::uint64_t number);
[[nodiscard]] std::string seconds_text(std::uint64_t ns);

}  // namespace connleak::detect
