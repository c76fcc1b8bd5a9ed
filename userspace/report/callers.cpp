// SPDX-License-Identifier: Apache-2.0
#include "report/callers.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_set>

#include "report/convert.hpp"

namespace connleak {
namespace {

constexpr std::uint64_t kMembersWanted = 3;
constexpr std::size_t kPlacesWanted = 2;

bool is_same_function(const model::StackFrame& a, const model::StackFrame& b) {
  if (a.function != b.function || a.file != b.file || a.module != b.module) return false;
  return a.function.has_value() || a.offset == b.offset;
}

bool is_same_place(const model::StackFrame& a, const model::StackFrame& b) {
  return is_same_function(a, b) && a.line == b.line;
}

// The one behind the culprit; it may call itself.
const model::StackFrame* next_application_frame(const model::Stack& stack) {
  const model::StackFrame& culprit = *stack.culprit_frame();
  for (std::size_t i = *stack.culprit + 1; i < stack.frames.size(); ++i) {
    const model::StackFrame& frame = stack.frames[i];
    if (frame.application && !frame.helper && !is_same_function(frame, culprit)) return &frame;
  }
  return nullptr;
}

bool heads_most(const model::StackFrame& culprit, const detect::Finding& finding, const model::Group& group) {
  std::unordered_set<const model::Connection*> all(group.members.begin(), group.members.end());
  for (const detect::Member& member : finding.members) all.insert(member.connection);
  std::size_t known = 0;
  std::size_t headed = 0;
  for (const model::Connection* connection : all) {
    const model::Stack* stack = detect::stack_of(*connection, finding.stack_of);
    if (stack == nullptr || stack->culprit_frame() == nullptr) continue;
    ++known;
    if (is_same_function(*stack->culprit_frame(), culprit)) ++headed;
  }
  return headed * 2 > known;
}

}  // namespace

std::vector<Caller> callers(const detect::Finding& finding, const model::Group& group) {
  if (finding.stack == nullptr || finding.stack->culprit_frame() == nullptr) return {};
  const model::StackFrame& culprit = *finding.stack->culprit_frame();
  struct Place {
    const model::StackFrame* frame;
    std::uint64_t connections;
  };
  std::vector<Place> places;
  std::uint64_t members = 0;
  for (const detect::Member& member : finding.members) {
    const model::Stack* stack = detect::stack_of(*member.connection, finding.stack_of);
    if (stack == nullptr || stack->culprit_frame() == nullptr) continue;
    if (!is_same_function(*stack->culprit_frame(), culprit)) continue;
    const model::StackFrame* next = next_application_frame(*stack);
    if (next == nullptr) continue;
    ++members;
    const auto known =
        std::ranges::find_if(places, [&](const Place& p) { return is_same_place(*p.frame, *next); });
    if (known != places.end()) {
      ++known->connections;
    } else {
      places.push_back({next, 1});
    }
  }
  if (members < kMembersWanted || places.size() < kPlacesWanted || !heads_most(culprit, finding, group)) return {};
  // Members come by birth, so what is equal keeps the order in which it was first seen.
  std::ranges::stable_sort(places, [](const Place& a, const Place& b) { return a.connections > b.connections; });
  std::vector<Caller> out;
  out.reserve(places.size());
  for (const Place& place : places) out.push_back({to_frame(*place.frame), place.connections});
  return out;
}

}  // namespace connleak
