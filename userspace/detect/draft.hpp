// SPDX-License-Identifier: Apache-2.0
// Claims on their way to findings: what blames one line of code becomes one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "detect/rule.hpp"
#include "detect/timers.hpp"

namespace connleak::detect {

using Members = std::vector<const model::Connection*>;

[[nodiscard]] bool by_birth(const model::Connection* a, const model::Connection* b);

// Whether the stack has a culprit; nullptr has none.
[[nodiscard]] bool names_culprit(const model::Stack* stack);

// Of members by birth, one at least. `stack`: what the rule blames; nullptr: the last use that most of them share.
// Where that names nobody, for some drivers write from a task of their own, who opened them counts, if that is
// known. nullptr: there is no stack.
[[nodiscard]] const model::Stack* blamed(const model::Stack* stack, const Members& members);

// Whether two stacks blame one line of code. Without a culprit each stack is a place of its own.
[[nodiscard]] bool is_same_line(const model::Stack* a, const model::Stack* b);

struct Draft {
  const Rule* rule = nullptr;  // nullptr: HELD or STALE, as `standing` has it
  Standing standing = Standing::held;
  Verdict verdict = Verdict::held;
  Confidence confidence = Confidence::low;
  std::uint64_t since_ns = 0;
  std::vector<std::string> evidence;  // of the claim with the most members: that of all would repeat itself
  Members members;                    // by birth
  // Blamed, and by how many of the members, most first; one at least.
  std::vector<std::pair<const model::Stack*, std::size_t>> stacks;
  const model::Stack* fork_stack = nullptr;  // as in Finding
};

// Merges it with one of the same rule, verdict, confidence and line, else puts it behind. A verdict is settled
// before: it is of what each stack has, not of the sum.
void add_draft(std::vector<Draft>& drafts, Draft draft);

}  // namespace connleak::detect
