// SPDX-License-Identifier: Apache-2.0
#include "detect/draft.hpp"

#include <algorithm>
#include <tuple>
#include <unordered_map>

namespace connleak::detect {
namespace {

struct Count {
  std::size_t members = 0;
  std::size_t first = 0;  // what is equal in all else is taken in the order of births: a report is the same twice
};
using Counts = std::unordered_map<const model::Stack*, Count>;

void count(Counts& counts, const model::Stack* stack) {
  auto& entry = counts.try_emplace(stack, Count{0, counts.size()}).first->second;
  ++entry.members;
}

// nullptr for none.
const model::Stack* commonest(const Counts& counts) {
  const auto most = std::max_element(counts.begin(), counts.end(), [](const auto& a, const auto& b) {
    if (a.second.members != b.second.members) return a.second.members < b.second.members;
    return std::tie(b.first->id, b.second.first) < std::tie(a.first->id, a.second.first);
  });
  return most == counts.end() ? nullptr : most->first;
}

bool fits(const Draft& a, const Draft& b) {
  return std::tie(a.rule, a.standing, a.verdict, a.confidence) ==
             std::tie(b.rule, b.standing, b.verdict, b.confidence) &&
         is_same_line(a.stacks.front().first, b.stacks.front().first);
}

}  // namespace

bool by_birth(const model::Connection* a, const model::Connection* b) {
  return std::pair(a->key.opened_ns, a->key.cookie) < std::pair(b->key.opened_ns, b->key.cookie);
}

bool names_culprit(const model::Stack* stack) { return stack != nullptr && stack->culprit_frame() != nullptr; }

const model::Stack* blamed(const model::Stack* stack, const Members& members) {
  Counts used;
  Counts opened;
  for (const model::Connection* member : members) {
    if (member->last_use_stack != nullptr) count(used, member->last_use_stack);
    if (names_culprit(member->open_stack)) count(opened, member->open_stack);
  }
  if (stack == nullptr) stack = commonest(used);
  if (names_culprit(stack)) return stack;
  if (!opened.empty()) return commonest(opened);
  return stack != nullptr ? stack : members.front()->open_stack;
}

bool is_same_line(const model::Stack* a, const model::Stack* b) {
  if (a == b) return true;
  if (!names_culprit(a) || !names_culprit(b)) return false;
  const model::StackFrame& x = *a->culprit_frame();
  const model::StackFrame& y = *b->culprit_frame();
  return x.function == y.function && x.file == y.file && x.line == y.line && x.module == y.module &&
         (x.function.has_value() || x.offset == y.offset);
}

void add_draft(std::vector<Draft>& drafts, Draft draft) {
  const auto known = std::find_if(drafts.begin(), drafts.end(), [&](const Draft& d) { return fits(d, draft); });
  if (known == drafts.end()) {
    drafts.push_back(std::move(draft));
    return;
  }
  known->since_ns = std::min(known->since_ns, draft.since_ns);
  if (draft.stacks.front().second > known->stacks.front().second) known->evidence = std::move(draft.evidence);
  known->members.insert(known->members.end(), draft.members.begin(), draft.members.end());
  std::sort(known->members.begin(), known->members.end(), by_birth);
  known->stacks.insert(known->stacks.end(), draft.stacks.begin(), draft.stacks.end());
  std::stable_sort(known->stacks.begin(), known->stacks.end(), [](const auto& a, const auto& b) {
    const auto id = [](const auto& entry) { return entry.first != nullptr ? entry.first->id : std::string(); };
    return a.second != b.second ? a.second > b.second : id(a) < id(b);
  });
}

}  // namespace connleak::detect
