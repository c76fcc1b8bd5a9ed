// SPDX-License-Identifier: Apache-2.0
// What probes on drivers and pools tell.
#include "model/model.hpp"

namespace connleak::model {

namespace {

// Handles are forgotten with their connections; those without one are bounded by this, which no pool reaches.
constexpr std::size_t kLeases = 65'536;
constexpr std::size_t kPools = 1024;

}  // namespace

void Model::on(const Event&, const LeaseEvent& body) {
  Process& owner = process(process_key(body.lease.thread));
  if (owner.leases.size() >= kLeases)
    std::erase_if(owner.leases, [](const auto& entry) { return entry.second.connection == nullptr; });
  Lease& lease = owner.leases[body.lease.handle];
  if (lease.record.acquired_ns != body.lease.acquired_ns) lease.acquire_stack = nullptr;
  lease.record = body.lease;
  if (lease.connection != nullptr) changed(*lease.connection);
}

void Model::on(const Event& event, const PoolEvent& body) {
  auto& pools = process(process_key(body.pool.process)).pools;
  if (pools.size() < kPools || pools.contains(body.pool.pool)) pools[body.pool.pool] = {body.pool, event.time_ns};
}

void Model::note_acquire(const StackEvent& body) {
  Process& owner = process(process_key(body.thread));
  const auto found = owner.leases.find(body.cookie);
  if (found == owner.leases.end() || found->second.record.acquired_ns != body.opened_ns) return;
  Lease& lease = found->second;
  lease.acquire_stack = owner.stacks.intern(body.addresses, owner.stacks);
  if (lease.acquire_stack != nullptr && lease.acquire_stack->go) owner.go = true;
  if (lease.connection != nullptr) changed(*lease.connection);
}

// A handle is one connection's at a time: the allocator may give its address to the next.
void Model::join_lease(Connection& connection) {
  const std::uint64_t handle = connection.record.handle;
  // An address means something in its own process only, which the connection may have left.
  if (handle == 0 || connection.process->key != process_key(connection.record.opener)) return;
  Lease& lease = connection.process->leases[handle];
  if (lease.connection == &connection) return;
  Connection* before = lease.connection;
  if (before != nullptr && before->liveness != Liveness::closed &&
      before->key.opened_ns > connection.key.opened_ns)
    return;
  if (before != nullptr) part_lease(*before);
  part_lease(connection);
  lease.connection = &connection;
  connection.lease = &lease;
}

void Model::part_lease(Connection& connection) {
  if (connection.lease == nullptr) return;
  connection.lease->connection = nullptr;
  connection.lease = nullptr;
}

}  // namespace connleak::model
