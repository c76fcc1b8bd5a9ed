// SPDX-License-Identifier: Apache-2.0
// The gate.
#include "detect/gate.hpp"

#include <algorithm>

#include "model/process.hpp"

namespace connleak::detect {

Gate gate(const model::Connection& connection) {
  const wire_connection& record = connection.record;
  if (connection.liveness == model::Liveness::opening || connection.liveness == model::Liveness::failed)
    return Gate::not_established;
  if (connection.process != nullptr && connection.process->pooler()) return Gate::exempt;
  if ((record.flags & (WIRE_FLAG_REPLICATION | WIRE_FLAG_LISTEN | WIRE_FLAG_STREAM)) != 0) return Gate::exempt;
  if (record.handshake_ns == 0 && !connection.late()) return Gate::handshake;
  // After a goodbye nothing is outstanding, whatever was sent last.
  if (record.turn != WIRE_TURN_CLIENT && !connection.goodbye()) return Gate::in_use;
  return Gate::passes;
}

std::uint64_t server_gone_at(const model::Connection& connection) {
  const std::uint64_t closed = connection.record.peer_closed_ns;
  const std::uint64_t aborted = connection.record.aborted_ns;
  if (closed == 0 || aborted == 0) return std::max(closed, aborted);
  return std::min(closed, aborted);
}

bool idle_in_transaction(const model::Connection& connection) {
  const wire_connection& record = connection.record;
  return gate(connection) == Gate::passes && server_gone_at(connection) == 0 && !connection.goodbye() &&
         (record.transaction == WIRE_TRANSACTION_OPEN || record.transaction == WIRE_TRANSACTION_FAILED);
}

std::optional<std::uint64_t> leased_idle_since(const model::Connection& connection) {
  if (connection.lease == nullptr || !connection.lease->held()) return std::nullopt;
  const auto since = model::idle_since(connection);
  if (gate(connection) != Gate::passes || server_gone_at(connection) != 0 || connection.goodbye() || !since)
    return std::nullopt;
  return std::max<std::uint64_t>(*since, connection.lease->record.acquired_ns);
}

}  // namespace connleak::detect
