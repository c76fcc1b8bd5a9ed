// SPDX-License-Identifier: Apache-2.0
// Groups, and what is settled at the end of a scan.
#include <sys/socket.h>

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "model/model.hpp"
#include "model/ports.hpp"

namespace connleak::model {

namespace {

constexpr std::uint64_t kSettle = 100'000'000;        // as detect/constants.hpp
constexpr std::uint64_t kRemembered = 2'000'000'000;  // a close is provisional this long

bool place_known(const Connection& connection, bool all) {
  const wire_connection& record = connection.record;
  // A candidate; with --all one that stays silent is shown for what it is.
  if (connection.protocol == WIRE_PROTOCOL_UNKNOWN)
    return all && established_at(connection) != 0 && (connection.seen_scan != 0 || record.closed_ns != 0);
  // The user comes with the startup message; whatever shows that it will not come decides, too.
  return record.user[0] != '\0' || record.handshake_ns != 0 || connection.late() || connection.tls() ||
         record.closed_ns != 0 ||
         (connection.protocol != WIRE_PROTOCOL_POSTGRESQL && connection.protocol != WIRE_PROTOCOL_MYSQL);
}

GroupKey group_key(const Connection& connection) {
  return {remote_address(connection.record), connection.protocol, std::string(fixed_text(connection.record.user)),
          std::string(fixed_text(connection.record.database))};
}

}  // namespace

// The startup message of a late connection was never seen. It belongs to the one account that the process has
// there, as far as is known: split off, a pool that was there before would look as if it grew from nothing.
Group* Model::only_account(const Connection& connection) const {
  Group* only = nullptr;
  for (const auto& [key, group] : connection.process->groups) {
    if (key.address != remote_address(connection.record) || key.protocol != connection.protocol) continue;
    if (key.user.empty() && key.database.empty()) continue;
    if (only != nullptr) return nullptr;
    only = group.get();
  }
  return only;
}

void Model::place(Connection& connection) {
  if (!place_known(connection, options_.all)) return;
  const auto user = fixed_text(connection.record.user);
  const auto database = fixed_text(connection.record.database);
  const bool nameless = connection.late() && user.empty() && database.empty();
  if (connection.group != nullptr && connection.group->key.protocol == connection.protocol) {
    const GroupKey& key = connection.group->key;
    // A nameless one stays where it was put first.
    if (nameless ? !key.user.empty() || !key.database.empty() : key.user == user && key.database == database)
      return;
  }
  if (nameless) {
    Group* account = only_account(connection);
    if (account != nullptr) {
      join(connection, *account);
      return;
    }
  }
  GroupKey key = group_key(connection);
  if (connection.group != nullptr && connection.group->key == key) return;
  auto& slot = connection.process->groups[key];
  const bool fresh = slot == nullptr;
  if (fresh) {
    slot = std::make_unique<Group>();
    slot->key = std::move(key);
    slot->process = connection.process;
  }
  join(connection, *slot);
  if (!fresh || nameless) return;
  // The first account to be seen takes in who waited without a name.
  for (Connection* other : connection.process->connections) {
    if (other == &connection || !other->late() || other->group == nullptr || other->record.user[0] != '\0')
      continue;
    if (remote_address(other->record) != remote_address(connection.record)) continue;
    place(*other);
    count(*other);
  }
}

void Model::join(Connection& connection, Group& group) {
  if (Group* before = connection.group; before != nullptr) {
    before->members.erase(&connection);
    if (established_at(connection) != 0) --before->opened;
    if (connection.longest_counted_ns != 0) before->longest_open.remove(connection.longest_counted_ns);
    connection.longest_counted_ns = 0;
  }
  connection.group = &group;
  connection.counted_open = false;
  if (connection.held()) group.members.insert(&connection);
  if (connection.gaps)
    for (unsigned bucket = 0; bucket < WIRE_GAP_BUCKETS; ++bucket)
      group.gaps.add_bucket(bucket, (*connection.gaps)[bucket]);
  changed(connection);
}

void Model::count(Connection& connection) {
  Group* group = connection.group;
  if (group == nullptr) return;
  const wire_connection& record = connection.record;
  if (!connection.counted_open && established_at(connection) != 0) {
    connection.counted_open = true;
    ++group->opened;
  }
  if (connection.tls()) group->tls = true;
  if (record.requests > connection.requests_counted) {
    group->requests += record.requests - connection.requests_counted;
    connection.requests_counted = record.requests;
    connection.group_requests_at_use = group->requests;
  }
  if (record.first_use_ns != 0) {
    const std::uint64_t born = record.handshake_ns != 0 ? record.handshake_ns : established_at(connection);
    const std::uint64_t wait = !connection.late() && record.first_use_ns > born ? record.first_use_ns - born : 0;
    const std::uint64_t longest = std::max<std::uint64_t>({record.longest_gap_ns, wait, 1});
    if (longest != connection.longest_counted_ns) {
      if (connection.longest_counted_ns != 0) group->longest_open.remove(connection.longest_counted_ns);
      group->longest_open.add(longest);
      connection.longest_counted_ns = longest;
    }
  }
  if (connection.last_use_stack != nullptr && connection.last_use_stack->has_application_frame())
    group->frames_known = true;
  if ((record.flags & WIRE_FLAG_SHARED) != 0) disprove(*group, "two threads used one connection");
  if ((record.flags & WIRE_FLAG_ASYNC) != 0) disprove(*group, "kernel workers send for it");
  if (connection.process->go) disprove(*group, "goroutines move between threads");
}

void Model::leave(Connection& connection) {
  Group* group = connection.group;
  if (group == nullptr) return;
  group->members.erase(&connection);
  if (established_at(connection) != 0) ++group->closed;
  if (connection.longest_counted_ns != 0) {
    group->longest_open.remove(connection.longest_counted_ns);
    group->longest_closed.add(connection.longest_counted_ns);
  }
  // What an exit or a collector closes says nothing about how long members live.
  const std::uint64_t born = established_at(connection);
  if (born != 0 && !connection.late() && !connection.closed_at_exit && !connection.collector &&
      connection.closed_ns > born)
    group->lifetimes.add(connection.closed_ns - born);
}

void Model::note_failed(Connection& connection) {
  if (connection.group != nullptr) {
    ++connection.group->failed;
    return;
  }
  // Nothing was said on it, so the user is unknown; a sibling of the process tells the group, else the address.
  const Address address = remote_address(connection.record);
  for (auto& [key, group] : connection.process->groups)
    if (key.address == address) {
      ++group->failed;
      return;
    }
  const auto known = known_.find(address);
  const wire_protocol protocol = known != known_.end() ? known->second : assigned_protocol(address.port);
  if (protocol == WIRE_PROTOCOL_UNKNOWN && !options_.all) return;
  GroupKey key{address, protocol, "", ""};
  auto& slot = connection.process->groups[key];
  slot = std::make_unique<Group>();
  slot->key = std::move(key);
  slot->process = connection.process;
  ++slot->failed;
}

void Model::disprove(Group& group, const char* reason) {
  if (group.affine()) group.affinity_disproved = reason;
}

void Model::seen(Connection& connection, std::uint64_t time_ns, bool in_scan) {
  if (!in_scan && connection.seen_ns != 0 && connection.seen_scan == open_scan_) {
    connection.seen_ns = time_ns;
    return;
  }
  unlink_seen(connection);
  connection.seen_ns = time_ns;
  connection.seen_scan = open_scan_;
  connection.previous_seen = newest_seen_;
  (newest_seen_ != nullptr ? newest_seen_->next_seen : oldest_seen_) = &connection;
  newest_seen_ = &connection;
}

void Model::unlink_seen(Connection& connection) {
  if (oldest_seen_ != &connection && connection.previous_seen == nullptr) return;  // not in the list
  (connection.previous_seen != nullptr ? connection.previous_seen->next_seen : oldest_seen_) =
      connection.next_seen;
  (connection.next_seen != nullptr ? connection.next_seen->previous_seen : newest_seen_) =
      connection.previous_seen;
  connection.previous_seen = connection.next_seen = nullptr;
}

void Model::on(const Event& event, const ScanEvent& body) {
  if (body.kind == WIRE_SCAN_FINAL) {
    final_ = true;
    now_ns_ = std::max(now_ns_, event.time_ns);
    settle_exits();
    ticked_ = true;
  } else if (body.kind == WIRE_SCAN_HOLDERS) {
    if (body.ended)
      end_holders(event.time_ns);
    else
      ++holders_scan_;
  } else if (!body.ended) {
    ++open_scan_;
  } else {
    end_levels(event, body);
  }
}

void Model::end_levels(const Event& event, const ScanEvent& body) {
  // Its begin may have been lost.
  if (open_scan_ == scans_[0].number) ++open_scan_;
  scans_[2] = scans_[1];
  scans_[1] = scans_[0];
  scans_[0] = {open_scan_, body.began_ns, event.time_ns};
  now_ns_ = event.time_ns;
  if (settle_due_ns_ != 0 && body.began_ns >= settle_due_ns_) {
    settle_due_ns_ = body.began_ns >= settle_last_ns_ ? 0 : settle_last_ns_;
  }
  assume_protocols();
  for (auto& [key, process] : processes_) {
    if (!process->stacks.resolve_pending()) continue;
    for (Connection* connection : process->connections) {
      const Stack* stack = connection->last_use_stack;
      process->go = process->go || (stack != nullptr && stack->go);
      count(*connection);
      changed(*connection);
    }
  }
  repair_missing();
  look_at_threads();
  settle_exits();
  ticked_ = true;
}

// Absent from one scan is no evidence, but for a unix socket whose client said goodbye: its close makes no edge.
void Model::repair_missing() {
  for (Connection* next = oldest_seen_; next != nullptr && next->seen_scan < open_scan_;) {
    Connection& gone = *next;
    next = gone.next_seen;
    const bool ended = gone.record.family == AF_UNIX && gone.goodbye();
    if (gone.seen_scan + 2 > open_scan_ && !ended) continue;
    gone.without_edge = true;
    gone.closed_at_exit = !gone.process->alive;
    if (!ended) ++losses_.repaired;
    set_liveness(gone, Liveness::closed, gone.seen_ns);
  }
}

void Model::look_at_threads() {
  std::erase_if(with_dead_threads_, [&](Process* process) {
    // At a process's exit all threads end: that says nothing.
    if (!process->alive) process->dead_threads.clear();
    const auto settled = [&](std::uint64_t at_ns) { return at_ns + kSettle <= scans_[0].began_ns; };
    for (Connection* connection : process->connections) {
      if (!connection->held() || !connection->used() || connection->record.last_user.tid == 0) continue;
      const auto dead = process->dead_threads.find(thread_key(connection->record.last_user));
      if (dead == process->dead_threads.end() || !settled(dead->second) || connection->owner_dead) continue;
      connection->owner_dead = true;
      if (connection->group != nullptr) disprove(*connection->group, "a thread that used one has ended");
      changed(*connection);
    }
    std::erase_if(process->dead_threads, [&](const auto& dead) { return settled(dead.second); });
    return process->dead_threads.empty();
  });
}

void Model::settle_exits() {
  std::erase_if(exiting_, [&](Process* process) {
    if (!final_ && process->exited_ns + kSettle > scans_[0].began_ns) return false;
    std::vector<Connection*> open;
    for (Connection* connection : process->connections)
      if (connection->liveness != Liveness::closed) open.push_back(connection);
    for (Connection* connection : open) {
      holders_wanted_ = true;
      if (Process* next = heir(*connection); next != nullptr) {
        move(*connection, *next);
      } else if (connection->seen_scan < scans_[0].number || connection->seen_ns <= process->exited_ns) {
        // Its closed edge was lost: what nobody holds the exit has closed.
        connection->without_edge = true;
        connection->closed_at_exit = true;
        ++losses_.repaired;
        set_liveness(*connection, Liveness::closed, process->exited_ns);
      }
    }
    std::map<const Stack*, std::uint64_t> leftovers;
    for (const Connection* connection : process->connections)
      if (connection->closed_at_exit && connection->group != nullptr)
        ++leftovers[connection->last_use_stack != nullptr ? connection->last_use_stack : connection->open_stack];
    for (const auto& [stack, count] : leftovers) process->open_at_exit.push_back({stack, count});
    std::sort(process->open_at_exit.begin(), process->open_at_exit.end(), [](const auto& a, const auto& b) {
      const std::string_view a_id = a.stack != nullptr ? std::string_view(a.stack->id) : "";
      const std::string_view b_id = b.stack != nullptr ? std::string_view(b.stack->id) : "";
      return a.connections != b.connections ? a.connections > b.connections : a_id < b_id;
    });
    process->exit_settled = true;
    exited_.push_back(process->key);
    return true;
  });
}

void Model::assume_protocols() {
  if (!known_grew_) return;
  known_grew_ = false;
  std::erase_if(late_unknown_, [&](ConnectionKey key) {
    const auto found = connections_.find(key);
    if (found == connections_.end() || !found->second->held()) return true;
    Connection& connection = *found->second;
    if (connection.protocol != WIRE_PROTOCOL_UNKNOWN) return true;
    const auto sibling = known_.find(remote_address(connection.record));
    const wire_protocol protocol =
        sibling != known_.end() ? sibling->second : assigned_protocol(connection.record.remote_port);
    if (protocol == WIRE_PROTOCOL_UNKNOWN) return false;
    connection.protocol = protocol;
    connection.protocol_assumed = true;
    place(connection);
    count(connection);
    changed(connection);
    return true;
  });
}

void Model::forget() {
  const auto old = [&](const Connection& connection) { return connection.closed_ns + kRemembered < now_ns_; };
  std::erase_if(closed_held_, [&](ConnectionKey key) {
    const auto found = connections_.find(key);
    if (found == connections_.end() || found->second->liveness != Liveness::closed) return true;
    if (found->second->holds != 0) return false;
    erase(*found->second);
    return true;
  });
  while (!closed_.empty()) {
    const auto found = connections_.find(closed_.front());
    if (found != connections_.end() && found->second->liveness == Liveness::closed) {
      if (!old(*found->second)) break;
      if (found->second->holds != 0)
        closed_held_.push_back(closed_.front());
      else
        erase(*found->second);
    }
    closed_.pop_front();
  }
  // The newest kExitedKept stay, and who is accused, and who still has connections remembered.
  std::size_t looked = exited_.size();
  while (looked-- > 0) {
    const ProcessKey key = exited_.front();
    const auto found = processes_.find(key);
    exited_.pop_front();
    if (found == processes_.end()) continue;
    const Process& process = *found->second;
    const bool wanted = process.holds != 0 || !process.connections.empty();
    if (wanted || (!process.groups.empty() && looked < kExitedKept))
      exited_.push_back(key);
    else
      processes_.erase(found);
  }
}

void Model::erase(Connection& connection) {
  unlink_seen(connection);
  if (connection.lease != nullptr) {
    part_lease(connection);
    connection.process->leases.erase(connection.record.handle);
  }
  if (connection.group != nullptr) connection.group->members.erase(&connection);
  connection.process->connections.erase(&connection);
  connections_.erase(connection.key);
}

}  // namespace connleak::model
