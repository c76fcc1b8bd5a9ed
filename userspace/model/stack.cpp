// SPDX-License-Identifier: Apache-2.0
// Stacks and their names.
#include "model/stack.hpp"

#include "base/stack_hash.hpp"
#include "model/culprit_rules.hpp"

namespace connleak::model {

namespace {

NameStyle style_of(wire_language language) {
  switch (language) {
    case WIRE_LANGUAGE_UNKNOWN:
    case WIRE_LANGUAGE_NATIVE:
    case WIRE_LANGUAGE_RUST:
      return NameStyle::native;
    case WIRE_LANGUAGE_JAVA:
      return NameStyle::java;
    case WIRE_LANGUAGE_GO:
    case WIRE_LANGUAGE_PYTHON:
    case WIRE_LANGUAGE_RUBY:
    case WIRE_LANGUAGE_PHP:
    case WIRE_LANGUAGE_JAVASCRIPT:
    case WIRE_LANGUAGE_END:
      break;
  }
  return NameStyle::other;
}

// cgo puts a call that passes pointers into a function of its own, in the line of the call: main.order.func1 is
// nobody's, who wrote main.order knows.
bool is_made_by_cgo(const std::vector<StackFrame>& frames, std::size_t at) {
  if (at == 0 || at + 1 == frames.size()) return false;
  const StackFrame& made = frames[at];
  const StackFrame& caller = frames[at + 1];
  const bool calls_c = frames[at - 1].function && frames[at - 1].function->find("._Cfunc_") != std::string::npos;
  return calls_c && made.function && caller.function && made.function->starts_with(*caller.function + ".func") &&
         made.line && made.line == caller.line && made.file == caller.file && caller.application;
}

}  // namespace

void StackBook::add_symbol(const SymbolEvent& symbol, const CulpritRules& rules) {
  // A page of inlined frames at one address is already absurd; a hostile recording gets no more.
  constexpr std::size_t kFramesPerAddress = 64;
  auto& frames = symbols_[symbol.address];
  if (symbol.index == 0) frames.clear();
  if (symbol.index != frames.size() || frames.size() >= kFramesPerAddress) return;
  frames.push_back({symbol.address, symbol.function, symbol.file, symbol.line, symbol.module, symbol.language,
                    symbol.application, symbol.offset, false, symbol.housekeeping});
  rules.apply(frames.back());
  symbols_came_ = true;
}

const Stack* StackBook::intern(const std::vector<std::uint64_t>& addresses, const StackBook& names) {
  if (addresses.empty()) return nullptr;
  auto [at, is_new] = by_addresses_.try_emplace(addresses, nullptr);
  if (!is_new) return at->second;
  auto stack = std::make_unique<Stack>();
  stack->addresses = addresses;
  names.resolve(*stack);
  at->second = stack.get();
  if (!stack->stable) unresolved_.push_back(stack.get());
  stacks_.push_back(std::move(stack));
  return at->second;
}

const Stack* StackBook::adopt(const Stack& stack) {
  auto [at, is_new] = by_addresses_.try_emplace(stack.addresses, nullptr);
  if (is_new) {
    stacks_.push_back(std::make_unique<Stack>(stack));
    at->second = stacks_.back().get();
  }
  return at->second;
}

void StackBook::forget_addresses() {
  symbols_.clear();
  by_addresses_.clear();
  unresolved_.clear();
}

bool StackBook::resolve_pending() {
  if (!symbols_came_) return false;
  symbols_came_ = false;
  bool any = false;
  std::erase_if(unresolved_, [&](Stack* stack) {
    const std::string before = stack->id;
    resolve(*stack);
    any = any || stack->id != before || stack->stable;
    return stack->stable;
  });
  return any;
}

void StackBook::resolve(Stack& stack) const {
  StackHash by_name;
  StackHash by_address;
  stack.frames.clear();
  stack.culprit.reset();
  stack.application = false;
  stack.stable = true;
  for (const std::uint64_t address : stack.addresses) {
    by_address.address(address);
    const auto found = symbols_.find(address);
    if (found == symbols_.end() || found->second.empty()) {
      stack.stable = false;
      StackFrame unknown;
      unknown.address = address;
      stack.frames.push_back(std::move(unknown));
      continue;
    }
    if (!found->second.front().module) stack.stable = false;
    for (const StackFrame& frame : found->second) {
      stack.application = stack.application || frame.application;
      if (frame.language == WIRE_LANGUAGE_GO) stack.go = true;
      if (frame.housekeeping) stack.housekeeping = true;
      if (frame.function) {
        by_name.frame(frame.module.value_or(""), *frame.function, style_of(frame.language));
      } else {
        by_name.frame(frame.module.value_or(""), frame.offset);
      }
      stack.frames.push_back(frame);
    }
  }
  for (std::size_t i = 0; i < stack.frames.size() && !stack.culprit; ++i) {
    const StackFrame& frame = stack.frames[i];
    if (frame.application && !frame.helper && !is_made_by_cgo(stack.frames, i)) stack.culprit = i;
  }
  stack.id = stack.stable ? by_name.id() : by_address.id();
}

}  // namespace connleak::model
