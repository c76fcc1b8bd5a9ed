// SPDX-License-Identifier: Apache-2.0
// Events of connections and processes.
#include "model/model.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "model/collectors.hpp"

namespace connleak::model {

namespace {

// A session that has ended still accounts for its connection this long: the program closes that next, and what
// closes just before an exit is judged as if it were there. A second more than a close is provisional
// (detect/constants.hpp).
constexpr std::uint64_t kSessionMemory = 3'000'000'000;
constexpr std::uint64_t kTick = 20'000'000;     // two of the longest that kernels have (100 Hz)
constexpr std::uint64_t kSettle = 100'000'000;  // as detect/constants.hpp
constexpr std::size_t kEndpoints = 1024;        // of one process; more are a crawler's (--all), not a pool's

// The queues are read only by scans and at the close; edges carry nothing there.
void keep_levels(wire_connection& record, const wire_connection& before, wire_type type) {
  // Made of ticks at each scan anew: less than one later is the same use.
  if (record.socket_use_ns < before.socket_use_ns + kTick) record.socket_use_ns = before.socket_use_ns;
  if (type == WIRE_LEVEL) return;
  if (type == WIRE_CLOSED && record.copied_seq != 0) return;
  record.unread_bytes = before.unread_bytes;
  record.unsent_bytes = before.unsent_bytes;
  record.copied_seq = before.copied_seq;
}

std::string text_of(const char* field, std::size_t size) {
  const std::string_view all(field, size);
  return std::string(all.substr(0, all.find('\0')));
}

Liveness liveness_of(const ConnectionEvent& body) {
  if (body.type == WIRE_FAILED) return Liveness::failed;
  if (body.type == WIRE_CLOSED) return Liveness::closed;
  if (body.type == WIRE_ABORTED) return Liveness::aborted;
  if (body.type == WIRE_PEER_CLOSED) return Liveness::half_closed;
  const wire_connection& record = body.connection;
  if (record.aborted_ns != 0) return Liveness::aborted;
  if (record.peer_closed_ns != 0) return Liveness::half_closed;
  if (body.type == WIRE_ESTABLISHED || record.established_ns != 0 || (record.flags & WIRE_FLAG_LATE) != 0)
    return Liveness::open;
  return Liveness::opening;
}

}  // namespace

bool Model::is_tick(const Event& event) {
  const auto* scan = std::get_if<ScanEvent>(&event.body);
  return scan != nullptr && scan->ended && scan->kind != WIRE_SCAN_HOLDERS;
}

void Model::apply(const Event& event) {
  if (ticked_) {
    ticked_ = false;
    for (Connection* connection : changes_) connection->changed = false;
    changes_.clear();
    forget();
  }
  std::visit([&](const auto& body) { on(event, body); }, event.body);
}

void Model::on(const Event& event, const ConnectionEvent& body) {
  const ConnectionKey key{body.connection.cookie, body.connection.opened_ns};
  const auto found = connections_.find(key);
  if (body.type == WIRE_DISMISSED) {
    ++dismissed_;
    if (found == connections_.end()) return;
    set_liveness(*found->second, Liveness::closed, event.time_ns);
    if (found->second->holds == 0 && !found->second->changed) erase(*found->second);
    return;
  }
  if (found != connections_.end() && found->second->liveness == Liveness::closed) {
    Connection& closed = *found->second;
    // A level that was read before the close tells nothing new, unless the close itself was only inferred.
    if (!closed.without_edge) return;
    if (body.type != WIRE_CLOSED) {
      closed.without_edge = false;
      closed.closed_ns = 0;
      closed.closed_at_exit = false;
      if (!closed.goodbye() || closed.record.family != AF_UNIX) --losses_.repaired;
    }
  }
  Connection& connection = found != connections_.end() ? *found->second : create(key, body);
  adopt(connection, body, event.time_ns);
}

Connection& Model::create(ConnectionKey key, const ConnectionEvent& body) {
  auto& slot = connections_[key];
  slot = std::make_unique<Connection>();
  slot->key = key;
  slot->record = body.connection;
  Process& owner = process(process_key(body.connection.opener));
  if (owner.comm.empty()) owner.comm = text_of(body.connection.comm, sizeof body.connection.comm);
  if (owner.key.tgid != 0) {
    if (!owner.uid) owner.uid = body.connection.uid;
    if (!owner.cgroup_id && body.connection.cgroup_id != 0) owner.cgroup_id = body.connection.cgroup_id;
  }
  slot->process = &owner;
  owner.connections.insert(slot.get());
  return *slot;
}

void Model::adopt(Connection& connection, const ConnectionEvent& body, std::uint64_t time_ns) {
  wire_connection record = body.connection;
  keep_levels(record, connection.record, body.type);
  const bool same = std::memcmp(&record, &connection.record, sizeof record) == 0;
  const bool first = connection.liveness_ns == 0;
  const bool more_use = record.last_use_ns > connection.record.last_use_ns;
  if ((record.flags & ~connection.record.flags & WIRE_FLAG_REFUSED) != 0 && !first)
    limits_[remote_address(record)] = held(remote_address(record)) - (connection.held() ? 1 : 0);
  // Read long after it came: that is a use, though no byte crossed the wire.
  if (body.type == WIRE_LEVEL && !first && connection.record.unread_bytes > record.unread_bytes &&
      record.last_use_ns == connection.record.last_use_ns && record.copied_seq != connection.record.copied_seq)
    connection.last_read_ns = time_ns;
  connection.record = record;
  seen(connection, time_ns, body.type == WIRE_LEVEL);
  if (same && !first && body.type == WIRE_LEVEL && connection.liveness == liveness_of(body)) return;

  if (record.protocol != WIRE_PROTOCOL_UNKNOWN) {
    connection.protocol = static_cast<wire_protocol>(record.protocol);
    connection.protocol_assumed = false;
    if (known_.try_emplace(remote_address(record), connection.protocol).second) known_grew_ = true;
  } else if (first && connection.late()) {
    late_unknown_.push_back(connection.key);
    known_grew_ = true;
  }
  if (more_use) {
    connection.owner_dead = false;
    note_user(connection);
  }
  if (record.last_use_ns != 0)
    connection.process->last_answered_ns =
        std::max<std::uint64_t>(connection.process->last_answered_ns, record.last_answer_ns);
  join_lease(connection);
  place(connection);
  if (record.driver != 0 && connection.group != nullptr) connection.group->driver = record.driver;
  count(connection);
  if (body.type == WIRE_CLOSED) {
    // The end of a unix socket shows once its process is gone.
    connection.closed_at_exit =
        (record.flags & WIRE_FLAG_EXITING) != 0 || (record.family == AF_UNIX && !connection.process->alive);
    if ((record.flags & WIRE_FLAG_CLOSER) != 0) {
      connection.closer = body.actor;
      connection.closer_comm = body.actor_comm;
      connection.collector = collector_of(connection);
    }
  }
  const bool never_held =
      connection.liveness == Liveness::opening && body.type == WIRE_CLOSED && established_at(connection) == 0;
  set_liveness(connection, liveness_of(body), time_ns);
  if (body.type == WIRE_FAILED || never_held) note_failed(connection);
  changed(connection);
}

void Model::set_liveness(Connection& connection, Liveness liveness, std::uint64_t time_ns) {
  if (connection.liveness_ns != 0 && connection.liveness == liveness) return;
  const bool held = connection.held();
  const bool was_failed = connection.liveness == Liveness::failed;
  connection.liveness = liveness;
  connection.liveness_ns = time_ns;
  if (held != connection.held()) {
    auto& endpoints = connection.process->endpoints;
    if (endpoints.size() > kEndpoints)
      std::erase_if(endpoints, [](const auto& entry) { return entry.second.held == 0; });
    auto& endpoint = endpoints[remote_address(connection.record)];
    if (held) {
      --endpoint.held;
    } else if (++endpoint.held > endpoint.most) {
      endpoint.most = endpoint.held;
      const std::uint64_t due = std::max(established_at(connection), now_ns_) + kSettle;
      if (settle_due_ns_ == 0) settle_due_ns_ = due;
      settle_last_ns_ = std::max(settle_last_ns_, due);
    }
  }
  if (connection.group != nullptr && connection.held()) connection.group->members.insert(&connection);
  if (liveness == Liveness::closed) {
    const std::uint64_t stamp = connection.record.closed_ns;
    connection.closed_ns = stamp != 0 && !connection.without_edge ? stamp : time_ns;
    unlink_seen(connection);
    closed_.push_back(connection.key);
    if (!was_failed) leave(connection);
  }
  changed(connection);
}

void Model::changed(Connection& connection) {
  if (connection.changed) return;
  connection.changed = true;
  changes_.push_back(&connection);
}

void Model::on(const Event& event, const ProcessEvent& body) {
  const ProcessKey key = process_key(body.thread);
  if (body.type == WIRE_FORK || body.type == WIRE_EXEC) {
    Process& started = process(key);
    if (!body.comm.empty()) started.comm = body.comm;
    if (body.type == WIRE_FORK) {
      begin_child(started, process_key(body.parent));
    } else {
      started.stacks.forget_addresses();
      started.go = false;
      started.executed_ns = event.time_ns;
      started.uses_inherited = false;
      if (!started.connections.empty()) holders_wanted_ = true;
    }
    return;
  }
  const auto found = processes_.find(key);
  if (found == processes_.end()) return;
  Process& process = *found->second;
  if (body.type == WIRE_THREAD_EXIT) {
    if (process.dead_threads.empty()) with_dead_threads_.push_back(&process);
    process.dead_threads[thread_key(body.thread)] = event.time_ns;
  } else if (body.type == WIRE_EXIT && process.alive) {
    process.alive = false;
    process.exited_ns = event.time_ns;
    exiting_.push_back(&process);
  }
}

void Model::on(const Event&, const GapsEvent& body) {
  const auto found = connections_.find({body.cookie, body.opened_ns});
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (!connection.gaps) {
    connection.gaps = std::make_unique<std::array<std::uint16_t, WIRE_GAP_BUCKETS>>();
    connection.gaps->fill(0);
  }
  for (unsigned bucket = 0; bucket < WIRE_GAP_BUCKETS; ++bucket) {
    std::uint16_t& before = (*connection.gaps)[bucket];
    if (body.counts[bucket] <= before) continue;
    if (connection.group != nullptr) connection.group->gaps.add_bucket(bucket, body.counts[bucket] - before);
    before = body.counts[bucket];
  }
}

void Model::on(const Event&, const StackEvent& body) {
  if (body.kind == WIRE_STACK_FORK) return note_fork(body);
  if (body.kind == WIRE_STACK_ACQUIRE) return note_acquire(body);
  const auto found = connections_.find({body.cookie, body.opened_ns});
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  // Addresses mean what they mean in the process that ran them.
  const auto runner = processes_.find(process_key(body.thread));
  Process& owner = *connection.process;
  const StackBook& names = runner != processes_.end() ? runner->second->stacks : owner.stacks;
  const Stack* stack = owner.stacks.intern(body.addresses, names);
  switch (body.kind) {
    case WIRE_STACK_OPEN:
      connection.open_stack = stack;
      connection.open_goroutine = body.goroutine;
      break;
    case WIRE_STACK_LAST_USE:
      if (stack != nullptr && stack->housekeeping && connection.last_use_stack != nullptr) break;
      connection.last_use_stack = stack;
      connection.last_use_goroutine = body.goroutine;
      break;
    case WIRE_STACK_CLOSE:
      connection.close_stack = stack;
      break;
    case WIRE_STACK_FORK:
    case WIRE_STACK_ACQUIRE:
    case WIRE_STACK_KIND_END:
      return;
  }
  if (stack != nullptr && stack->go) owner.go = true;
  count(connection);
  changed(connection);
}

void Model::on(const Event& event, const SessionEvent& body) {
  Process& owner = process(process_key(body.owner));
  if (owner.sessions_scan != open_scan_)
    std::erase_if(owner.sessions,
                  [&](const auto& entry) { return entry.second.seen_ns + kSessionMemory < event.time_ns; });
  owner.sessions_scan = open_scan_;
  owner.sessions[body.cookie] = {{body.cookie, body.accepted_ns, body.last_receive_ns}, event.time_ns};
}

void Model::on(const Event& event, const RequestsEvent& body) {
  std::optional<Requests>& requests = process(process_key(body.process)).requests;
  const std::uint64_t first_ns = requests ? requests->first_ns : event.time_ns;
  requests = {first_ns, event.time_ns, body.cpu_ns, body.answered, body.alone, body.failed};
}

void Model::on(const Event& event, const LossEvent& body) {
  HookLoss& hook = losses_.hooks[body.hook];
  const std::uint64_t before = hook.dropped + hook.missed;
  hook = {body.attached, body.hits, body.dropped, body.missed};
  const std::uint64_t after = hook.dropped + hook.missed;
  if (after <= before) return;
  losses_.events_lost += after - before;
  losses_.last_lost_ns = event.time_ns;
}

void Model::add_decode_errors(std::uint64_t count, std::uint64_t time_ns) {
  if (count == 0) return;
  losses_.decode_errors += count;
  losses_.last_lost_ns = std::max(losses_.last_lost_ns, time_ns);
}

void Model::on(const Event&, const ProcessInfoEvent& body) {
  Process& process = this->process(process_key(body.process));
  process.comm = body.comm;
  if (body.exe) process.exe = body.exe;
  if (body.cgroup) process.cgroup = body.cgroup;
  if (body.cgroup_id != 0) process.cgroup_id = body.cgroup_id;
  process.uid = body.uid;
  process.frames_note = body.frames_note;
  // At a fork it was told exactly; orphans have another one later.
  if (body.parent.tgid != 0 && !process.parent) process.parent = process_key(body.parent);
}

void Model::on(const Event&, const SymbolEvent& body) {
  process(process_key(body.process)).stacks.add_symbol(body, options_.culprit_rules);
}

Process& Model::process(ProcessKey key) {
  auto& slot = processes_[key];
  if (!slot) {
    slot = std::make_unique<Process>();
    slot->key = key;
  }
  return *slot;
}

const Process* Model::find_process(ProcessKey key) const {
  const auto found = processes_.find(key);
  return found == processes_.end() ? nullptr : found->second.get();
}

const Connection* Model::find(ConnectionKey key) const {
  const auto found = connections_.find(key);
  return found == connections_.end() ? nullptr : found->second.get();
}

std::vector<Session> Model::sessions(const Process& process) const {
  const std::uint64_t now_ns = process.alive ? scan().began_ns : process.exited_ns;
  std::vector<Session> open;
  for (const auto& [cookie, seen] : process.sessions)
    if (seen.seen_ns + kSessionMemory >= now_ns) open.push_back(seen.session);
  return open;
}

std::uint64_t Model::held(const Address& address) const {
  std::uint64_t sum = 0;
  for (const auto& [key, process] : processes_)
    if (const auto there = process->endpoints.find(address); there != process->endpoints.end())
      sum += there->second.held;
  return sum;
}

std::optional<std::uint64_t> Model::limit(const Address& address) const {
  const auto found = limits_.find(address);
  return found == limits_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t Model::candidates() const {
  std::size_t count = 0;
  for (const auto& [key, connection] : connections_)
    count += connection->group == nullptr && connection->held() ? 1U : 0U;
  return count;
}

}  // namespace connleak::model
