// SPDX-License-Identifier: Apache-2.0
// L6.
#include "detect/wrong_process.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "detect/gate.hpp"
#include "detect/verdict.hpp"

namespace connleak::detect {

namespace {

// Where the creator forked whom the holders stem from; the holder's own fork where that is not known.
const model::Stack* fork_stack(const Claim& claim) {
  const model::Stack* own = nullptr;
  for (const model::Connection* member : claim.members)
    for (const model::Process::Fork& fork : member->process->forks) {
      if (fork.parent == model::process_key(member->record.opener)) return fork.stack;
      own = fork.stack;
    }
  return own;
}

std::string named(std::string_view comm, std::uint32_t pid) {
  return fmt::format("{} (pid {})", comm.empty() ? "a process" : escape(comm), pid);
}

}  // namespace

WrongProcess::WrongProcess(const model::Model& model, const model::Group& group)
    : Overdue({.id = "L6", .name = "wrong-process", .confidence = Confidence::high, .single_is_leak = true}),
      model_(model),
      group_(group) {}

std::optional<Overdue::State> WrongProcess::state(const model::Connection& member) const {
  if (member.inherited == model::Inheritance::none) return std::nullopt;
  // Whose turn it is cannot be seen of a late one that is silent since; who would wait for an answer has let go.
  const Gate at_gate = gate(member);
  const bool silent = at_gate == Gate::in_use && member.late() && member.record.turn == WIRE_TURN_UNKNOWN;
  if (at_gate != Gate::passes && !silent) return std::nullopt;
  const auto idle = model::idle_since(member);
  if (!idle) return std::nullopt;
  const std::uint64_t since = std::max(*idle, member.let_go_ns);
  if (member.inherited == model::Inheritance::exec) return State{since, kExecuted};
  // Workers that were forked with a pool whose owner then closed it in order hold a dead descriptor, no slot.
  if (member.goodbye() || server_gone_at(member) != 0) return std::nullopt;
  return State{since, kForked};
}

// T is at least --idle-after, which is asked for by limit().
std::uint64_t WrongProcess::least(State) const { return 0; }

std::uint64_t WrongProcess::limit(const model::Connection&, State, const Moment& moment) const {
  return moment.cutoff->ns;
}

std::string WrongProcess::name(model::ProcessKey key) const {
  const model::Process* process = model_.find_process(key);
  return named(process != nullptr ? process->comm : "", key.tgid);
}

void WrongProcess::describe(Claim& claim, unsigned kind, const Moment& moment) const {
  if (kind == kForked) claim.confidence = Confidence::medium;
  claim.fork_stack = fork_stack(claim);
  std::set<std::string> creators, holders;
  bool replaced = false;
  for (const model::Connection* member : claim.members) {
    const model::ProcessKey creator = model::process_key(member->record.opener);
    replaced = replaced || creator == group_.process->key;
    creators.insert(named(fixed_text(member->record.comm), creator.tgid));
    for (const model::Holder& holder : member->holders) holders.insert(name(holder.process));
  }
  const std::string who = fmt::format("{}", fmt::join(holders, ", "));
  if (replaced)
    claim.evidence.push_back(fmt::format("opened before {} executed the program that it runs now", who));
  else
    claim.evidence.push_back(
        fmt::format("opened by {}, which has closed its copy or exited; held by {} since a fork{}",
                    fmt::join(creators, ", "), who, kind == kExecuted ? ", which runs another program now" : ""));
  claim.evidence.push_back(
      fmt::format("nothing that was inherited with it was used by a holder, and nothing came for "
                  "longer than T ({})",
                  seconds_text(moment.cutoff->ns)));
}

RuleAnswer WrongProcess::answer(const Moment& moment) const {
  RuleAnswer answer{"L6", "wrong-process", !claims().empty(), ""};
  for (const Claim& claim : claims())
    for (const std::string& sentence : claim.evidence)
      answer.reason += (answer.reason.empty() ? "" : "; ") + sentence;
  if (answer.reason.empty())
    answer.reason = fmt::format(
        "none is held by a process that only inherited it, for longer than T ({}) after its creator let go",
        seconds_text(moment.cutoff->ns));
  return answer;
}

std::string WrongProcess::spared(const model::Connection& member, const Moment& moment) const {
  const auto now = state(member);
  if (!now || accuses(member)) return "";
  return fmt::format("inherited, its creator let go {} ago: accused after T ({})",
                     seconds_text(moment.now_ns - std::min(moment.now_ns, now->since_ns)),
                     seconds_text(moment.cutoff->ns));
}

}  // namespace connleak::detect
