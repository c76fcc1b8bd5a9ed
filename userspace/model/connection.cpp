// SPDX-License-Identifier: Apache-2.0
// Age, idle time and state of a connection.
#include "model/connection.hpp"

#include <algorithm>

namespace connleak::model {

std::uint64_t established_at(const Connection& connection) {
  if (connection.record.established_ns != 0) return connection.record.established_ns;
  return connection.late() ? connection.key.opened_ns : 0;
}

Age age(const Connection& connection, std::uint64_t now_ns) {
  const std::uint64_t opened = connection.key.opened_ns;
  const std::uint64_t until = connection.closed_ns != 0 ? connection.closed_ns : now_ns;
  if (opened == 0 || until < opened) return {};
  return {connection.late() ? AgeKind::at_least : AgeKind::exact, until - opened};
}

std::optional<std::uint64_t> idle_since(const Connection& connection) {
  const wire_connection& record = connection.record;
  if (record.last_use_ns != 0)
    return std::max<std::uint64_t>({record.last_use_ns, record.last_answer_ns, connection.last_read_ns});
  if (connection.late() && record.handshake_ns == 0) {
    // Its own stamps say nothing about the time before the observer; the socket's do.
    const std::uint64_t seen =
        std::max<std::uint64_t>({record.socket_use_ns, record.last_answer_ns, connection.last_read_ns});
    if (seen == 0) return std::nullopt;
    return seen;
  }
  const std::uint64_t since = record.handshake_ns != 0 ? record.handshake_ns : record.established_ns;
  if (since == 0) return std::nullopt;
  return std::max(since, connection.last_read_ns);
}

namespace {

bool awaits_answer(const Connection& connection) {
  return connection.liveness == Liveness::open && connection.record.turn == WIRE_TURN_SERVER &&
         !connection.goodbye();
}

}  // namespace

std::optional<std::uint64_t> idle_ns(const Connection& connection, std::uint64_t now_ns) {
  if (connection.liveness == Liveness::opening || awaits_answer(connection)) return std::nullopt;
  const auto since = idle_since(connection);
  const std::uint64_t until = connection.closed_ns != 0 ? connection.closed_ns : now_ns;
  if (!since || until < *since) return std::nullopt;
  return until - *since;
}

State state(const Connection& connection) {
  switch (connection.liveness) {
    case Liveness::opening:
      return State::opening;
    case Liveness::failed:
    case Liveness::closed:
      return State::closed;
    case Liveness::half_closed:
    case Liveness::aborted:
      return State::half_closed;
    case Liveness::open:
      break;
  }
  const wire_connection& record = connection.record;
  if (awaits_answer(connection)) return State::in_use;
  if (record.transaction == WIRE_TRANSACTION_OPEN || record.transaction == WIRE_TRANSACTION_FAILED)
    return State::in_transaction;
  if (connection.lease != nullptr && connection.lease->held()) return State::in_use;
  return State::idle;
}

}  // namespace connleak::model
