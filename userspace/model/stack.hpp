// SPDX-License-Identifier: Apache-2.0
// Stacks and what their addresses mean.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "events/event.hpp"

namespace connleak::model {

class CulpritRules;

struct StackFrame {
  std::uint64_t address = 0;
  std::optional<std::string> function;
  std::optional<std::string> file;
  std::optional<std::uint32_t> line;
  std::optional<std::string> module;
  wire_language language = WIRE_LANGUAGE_UNKNOWN;
  bool application = false;   // the application's own code: not libc, driver, pool or standard library
  std::uint64_t offset = 0;   // in its module
  bool helper = false;        // never the culprit: who calls it is
  bool housekeeping = false;  // a pool looking after its members
};

struct Stack {
  std::string id;       // as base/stack_hash.hpp; over addresses where unresolved
  bool stable = false;  // every address is resolved, so the id is the same in every run of one build
  std::vector<std::uint64_t> addresses;  // innermost first
  std::vector<StackFrame> frames;        // innermost first, inlined callers included
  std::optional<std::size_t> culprit;    // index of the first application frame that is no helper
  bool application = false;              // an application frame, helper or not
  bool go = false;                       // a frame of language Go
  bool housekeeping = false;             // a frame of housekeeping: who used the connection before that counts

  [[nodiscard]] bool has_application_frame() const { return application; }
  [[nodiscard]] const StackFrame* culprit_frame() const { return culprit ? &frames[*culprit] : nullptr; }
};

// The stacks of one process, each kept once: equal stacks are the same pointer, valid as long as the book.
class StackBook {
 public:
  void add_symbol(const SymbolEvent& symbol, const CulpritRules& rules);
  // `names`: the book of the process that ran the addresses, mostly this one. nullptr for no addresses.
  [[nodiscard]] const Stack* intern(const std::vector<std::uint64_t>& addresses, const StackBook& names);
  // The same stack, of another process: with its names as they are.
  [[nodiscard]] const Stack* adopt(const Stack& stack);
  // The process started another program: addresses mean something else from now on.
  void forget_addresses();
  // Names that came after the stacks that wanted them. True if any stack changed.
  bool resolve_pending();

 private:
  void resolve(Stack& stack) const;
  std::map<std::uint64_t, std::vector<StackFrame>> symbols_;  // by address
  std::map<std::vector<std::uint64_t>, Stack*> by_addresses_;
  std::vector<std::unique_ptr<Stack>> stacks_;
  std::vector<Stack*> unresolved_;
  bool symbols_came_ = false;
};

}  // namespace connleak::model
