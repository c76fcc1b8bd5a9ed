// SPDX-License-Identifier: Apache-2.0
// Who holds a connection: descriptors found by scans, copies that were let go, processes that inherited some.
#include <algorithm>

#include "model/model.hpp"

namespace connleak::model {

namespace {

constexpr std::size_t kAncestors = 16;  // far more generations than a descriptor is carried through by accident

bool has(const std::vector<Holder>& holders, ProcessKey process) {
  return std::any_of(holders.begin(), holders.end(), [&](const Holder& held) { return held.process == process; });
}

// `holder` runs another program than the one that opened the connection.
bool executed(const Process& holder, const Process* creator, const Connection& connection) {
  if (holder.executed_ns != 0) return holder.executed_ns > connection.key.opened_ns;
  return connection.late() && creator != nullptr && holder.exe && creator->exe && *holder.exe != *creator->exe;
}

// It has its copy from a fork while the connection was open, and from nobody's hand.
bool forked_with(const Process& holder, const Process* creator, const Connection& connection) {
  const ProcessKey from = process_key(connection.record.opener);
  const bool child = std::find(holder.ancestors.begin(), holder.ancestors.end(), from) != holder.ancestors.end();
  if (child) return holder.key.start_ns >= connection.key.opened_ns;
  // Older than the observer, both: only that it runs something else tells it from a successor.
  return connection.late() && holder.parent == from && executed(holder, creator, connection);
}

}  // namespace

void Model::on(const Event&, const HolderEvent& body) {
  Process& holder = process(process_key(body.holder));
  if (holder.comm.empty()) holder.comm = body.comm;
  const auto found = connections_.find({body.cookie, body.opened_ns});
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (connection.holders_scan != holders_scan_) {
    connection.holders.clear();
    connection.holders_scan = holders_scan_;
    held_.push_back(connection.key);
  }
  const Holder entry{holder.key, body.fd};
  if (std::find(connection.holders.begin(), connection.holders.end(), entry) == connection.holders.end())
    connection.holders.push_back(entry);
  const Process& owner = *connection.process;
  if ((owner.key.tgid == 0 || owner.exit_settled) && holder.key.tgid != 0 && holder.alive)
    move(connection, holder);
}

void Model::note_fork(const StackEvent& body) {
  const auto child = processes_.find({static_cast<std::uint32_t>(body.cookie), body.opened_ns});
  const auto forker = processes_.find(process_key(body.thread));
  if (child == processes_.end() || forker == processes_.end() || body.addresses.empty()) return;
  auto& forks = child->second->forks;
  forks.push_back({forker->first, child->second->stacks.intern(body.addresses, forker->second->stacks)});
  if (forks.size() > kAncestors) forks.erase(forks.begin());
}

void Model::begin_child(Process& child, ProcessKey parent) {
  if (parent.tgid == 0) return;
  child.parent = parent;
  const Process* forker = find_process(parent);
  if (forker == nullptr) return;
  child.ancestors = forker->ancestors;
  if (!forker->connections.empty()) child.ancestors.push_back(parent);
  if (child.ancestors.size() > kAncestors) child.ancestors.erase(child.ancestors.begin());
  for (const Process::Fork& fork : forker->forks)
    child.forks.push_back({fork.parent, child.stacks.adopt(*fork.stack)});
  if (!child.ancestors.empty()) holders_wanted_ = true;
}

// Its own use of what it inherited shows that it was meant to have it.
void Model::note_user(Connection& connection) {
  const auto user = processes_.find(process_key(connection.record.last_user));
  if (user == processes_.end()) return;
  const bool inherited = user->first != process_key(connection.record.opener);
  const bool kept = user->second->executed_ns > connection.key.opened_ns;
  if ((!inherited && !kept) || connection.record.last_use_ns < user->second->executed_ns) return;
  user->second->uses_inherited = true;
  connection.inherited = Inheritance::none;
}

// The living process that has it once `connection.process` has not: who used it last, else who holds it for
// longest.
Process* Model::heir(const Connection& connection) {
  Process* first = nullptr;
  const ProcessKey user = process_key(connection.record.last_user);
  for (const Holder& holder : connection.holders) {
    const auto found = processes_.find(holder.process);
    if (found == processes_.end() || !found->second->alive || found->second.get() == connection.process) continue;
    if (holder.process == user) return found->second.get();
    if (first == nullptr || found->second->key.start_ns < first->key.start_ns) first = found->second.get();
  }
  if (first != nullptr) return first;
  const auto found = processes_.find(user);
  return found != processes_.end() && found->second->alive && found->second.get() != connection.process
             ? found->second.get()
             : nullptr;
}

void Model::move(Connection& connection, Process& to) {
  if (connection.process == &to) return;
  part_lease(connection);
  Process& from = *connection.process;
  if (connection.held()) --from.endpoints[remote_address(connection.record)].held;
  if (connection.group != nullptr) {
    // Its numbers stay where they were made, its opening too; the new group counts from here on.
    connection.group->members.erase(&connection);
    if (connection.longest_counted_ns != 0) connection.group->longest_open.remove(connection.longest_counted_ns);
    connection.group = nullptr;
  }
  const bool counted = connection.counted_open;
  connection.longest_counted_ns = 0;
  connection.gaps.reset();
  from.connections.erase(&connection);
  to.connections.insert(&connection);
  connection.process = &to;
  for (const Stack** stack : {&connection.open_stack, &connection.last_use_stack, &connection.close_stack})
    if (*stack != nullptr) *stack = to.stacks.adopt(**stack);
  if (connection.held()) {
    auto& endpoint = to.endpoints[remote_address(connection.record)];
    endpoint.most = std::max(endpoint.most, ++endpoint.held);
  }
  place(connection);
  connection.counted_open = counted;
  if (connection.group != nullptr) connection.group_requests_at_use = connection.group->requests;
  count(connection);
  changed(connection);
}

Inheritance Model::inheritance(const Connection& connection) const {
  const Process* creator = find_process(process_key(connection.record.opener));
  Inheritance how = Inheritance::none;
  for (const Holder& held : connection.holders) {
    const Process* holder = find_process(held.process);
    if (holder == nullptr || holder->uses_inherited) return Inheritance::none;
    if (holder != creator && !forked_with(*holder, creator, connection)) return Inheritance::none;
    const bool other_program = executed(*holder, creator, connection);
    how = std::max(how, other_program ? Inheritance::exec : Inheritance::fork);
  }
  return how;
}

// Descriptors move while a scan walks them: who is missing from two scans has let go.
void Model::look_at_holders(Connection& connection, std::uint64_t time_ns) {
  const auto creator = processes_.find(process_key(connection.record.opener));
  if (creator == processes_.end() || creator->first.tgid == 0) return;
  const Process& opener = *creator->second;
  std::uint64_t let_go_ns = 0;
  if (has(connection.holders, creator->first)) {
    connection.missed_ns = 0;
    if (opener.executed_ns > connection.key.opened_ns) let_go_ns = opener.executed_ns;
  } else if (!opener.alive) {
    let_go_ns = opener.exited_ns;
  } else if (connection.missed_ns == 0) {
    connection.missed_ns = time_ns;
    holders_wanted_ = true;
    return;
  } else {
    let_go_ns = connection.missed_ns;
    Process* next = heir(connection);
    if (connection.process == &opener && next != nullptr) move(connection, *next);
  }
  const Inheritance inherited = let_go_ns != 0 ? inheritance(connection) : Inheritance::none;
  if (connection.let_go_ns == let_go_ns && connection.inherited == inherited) return;
  connection.let_go_ns = let_go_ns;
  connection.inherited = inherited;
  changed(connection);
}

void Model::end_holders(std::uint64_t time_ns) {
  holders_wanted_ = false;
  for (const ConnectionKey key : held_) {
    const auto found = connections_.find(key);
    if (found == connections_.end() || !found->second->held()) continue;
    Connection& connection = *found->second;
    look_at_holders(connection, time_ns);
    const ProcessKey first = connection.holders.front().process;
    const bool shared = std::any_of(connection.holders.begin(), connection.holders.end(),
                                    [&](const Holder& held) { return held.process != first; });
    holders_wanted_ = holders_wanted_ || shared || connection.let_go_ns != 0;
  }
  held_.clear();
}

}  // namespace connleak::model
