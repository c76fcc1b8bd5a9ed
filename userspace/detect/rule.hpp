// SPDX-License-Identifier: Apache-2.0
// The interface that every rule implements. A new rule is one file pair and one line in rules.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "detect/idle_cutoff.hpp"
#include "model/model.hpp"

namespace connleak::detect {

enum class Verdict { leak, suspect, held, stale };
enum class Confidence { high, medium, low };

struct RuleInfo {
  std::string_view id;    // "L1"
  std::string_view name;  // "never-closed"
  Confidence confidence = Confidence::medium;
  bool single_is_leak = false;  // one connection is enough for LEAK (L6 after exec, L8)
};

// Yes or no with the reason, for `explain`.
struct RuleAnswer {
  std::string rule;  // "L1", "HELD", "STALE"
  std::string name;
  bool fires = false;
  std::string reason;  // a plain sentence with the numbers in it
};

// What a rule accuses, per stack of blame.
struct Claim {
  const model::Stack* stack = nullptr;  // nullptr: the place is not known
  std::uint64_t since_ns = 0;           // when its first member was accused
  std::vector<const model::Connection*> members;
  std::vector<std::string> evidence;         // sentences about the group's series, fixed when it fired
  std::optional<Confidence> confidence;      // where it differs from the rule's
  const model::Stack* fork_stack = nullptr;  // as in Finding
};

// The time and the numbers at which a group is judged.
struct Moment {
  std::uint64_t now_ns = 0;  // of the tick; the instant of the exit for an exited process
  std::uint64_t idle_after_ns = 0;
  const Cutoff* cutoff = nullptr;  // T at this moment
  const std::vector<model::Session>* sessions = nullptr;
};

// One object for each group and rule. Calls come in the order of event time; members are known by pointer, between
// their first update() and leave().
class Rule {
 public:
  virtual ~Rule() = default;
  [[nodiscard]] virtual const RuleInfo& info() const = 0;
  // The member is accused, and its own byte or return since takes it out. Asked before update().
  [[nodiscard]] virtual bool touched(const model::Connection& member) const = 0;
  // Facts of a member changed, or it is new to the group.
  virtual void update(const model::Connection& member) = 0;
  // Its close takes it out of no claim of this rule's. Asked once it is closed, after update().
  [[nodiscard]] virtual bool keeps(const model::Connection&) const { return false; }
  // It was closed or went elsewhere. It stays in claims until release().
  virtual void leave(const model::Connection& member) = 0;
  // The group's count of held members set a new high-water mark at `at_ns`; last uses up to now are known.
  virtual void record(std::uint64_t at_ns, const Moment& moment) = 0;
  // True if tick() has something to do at this time: what is not due costs nothing.
  [[nodiscard]] virtual bool due(std::uint64_t now_ns) const = 0;
  // Takes in what crossed the gate since.
  virtual void tick(const Moment& moment) = 0;
  // The member used itself, came back or was closed: it is accused no longer.
  virtual void release(const model::Connection& member) = 0;
  [[nodiscard]] virtual const std::vector<Claim>& claims() const = 0;
  [[nodiscard]] virtual bool accuses(const model::Connection& member) const = 0;
  // Why it does or does not accuse this group, with numbers.
  [[nodiscard]] virtual RuleAnswer answer(const Moment& moment) const = 0;
  // Why this member, idle longer than T, is not accused; "" when the rule has nothing to say about it.
  [[nodiscard]] virtual std::string spared(const model::Connection& member, const Moment& moment) const = 0;
};

// One of each, in the order of precedence: a connection stands in the first that fits. Model and group are
// borrowed.
[[nodiscard]] std::vector<std::unique_ptr<Rule>> make_rules(const model::Model& model, const model::Group& group,
                                                            std::uint64_t hold_after_ns);

}  // namespace connleak::detect
