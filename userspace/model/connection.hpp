// SPDX-License-Identifier: Apache-2.0
// One connection as the observer knows it, and its age, idle time and state.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/keys.hpp"
#include "model/lease.hpp"
#include "model/stack.hpp"

namespace connleak::model {

struct Group;
struct Process;

enum class Liveness { opening, open, half_closed, aborted, failed, closed };

// What a connection is doing, as the report counts it: in_use is the server's turn, or a known lease. Aborted ones
// count as half_closed: the server is gone, the descriptor still held.
enum class State { opening, in_use, idle, in_transaction, half_closed, closed };

// How those that hold it came to it. none: its creator holds it, or it was passed on purpose, or nothing is known.
enum class Inheritance { none, fork, exec };

struct Holder {
  ProcessKey process;
  std::uint32_t fd = 0;
  auto operator<=>(const Holder&) const = default;
};

struct Connection {
  ConnectionKey key;
  wire_connection record{};  // the latest that was read
  Liveness liveness = Liveness::opening;
  std::uint64_t liveness_ns = 0;  // since when
  // Closed: by the closed edge, or (without_edge) when the connection was last seen before it was missed.
  std::uint64_t closed_ns = 0;
  bool without_edge = false;
  bool closed_at_exit = false;  // closed by its process's own exit (WIRE_FLAG_EXITING)
  std::optional<wire_thread> closer;
  std::string closer_comm;               // the thread's name
  std::optional<std::string> collector;  // what closed it because nobody could reach it any more
  wire_protocol protocol = WIRE_PROTOCOL_UNKNOWN;
  bool protocol_assumed = false;  // late and silent: from a sibling or the port
  Group* group = nullptr;         // nullptr: a candidate, in no reported group
  Process* process = nullptr;     // never nullptr: the opener, or who holds it since the opener is gone
  std::vector<Holder> holders;    // of the latest scan that saw any
  // Since when its creator has it no more, while others do: closed its copy, exited, executed another program. 0:
  // it has it.
  std::uint64_t let_go_ns = 0;
  Inheritance inherited = Inheritance::none;  // by all of `holders`, of whom none used what it inherited
  const Stack* open_stack = nullptr;
  const Stack* last_use_stack = nullptr;
  const Stack* close_stack = nullptr;
  // Of Go programs, where they are known: the ids of whose stacks those are. Not the stacks' own: many share one.
  std::optional<std::uint64_t> open_goroutine;
  std::optional<std::uint64_t> last_use_goroutine;
  Lease* lease = nullptr;  // what its driver or its pool says; nullptr: no probe tells
  std::unique_ptr<std::array<std::uint16_t, WIRE_GAP_BUCKETS>> gaps;  // cumulative, as last read
  std::uint64_t last_read_ns = 0;           // bytes that lay unread were read, found at this time
  bool owner_dead = false;                  // the thread that used it last has exited
  std::uint64_t group_requests_at_use = 0;  // Group::requests when its last use was seen
  // Standing judgements that refer to it: the model keeps it while there are any. Mutable because judges only see
  // a const model.
  mutable std::uint32_t holds = 0;

  // Book-keeping of Model.
  bool changed = false;
  std::uint64_t seen_scan = 0;  // LEVELS scan that saw it last
  std::uint64_t seen_ns = 0;    // when it was last seen in any record
  std::uint64_t holders_scan = 0;
  std::uint64_t missed_ns =
      0;  // the first HOLDERS scan that did not find it with its creator; 0: the last one did
  bool counted_open = false;
  std::uint64_t longest_counted_ns = 0;
  std::uint64_t requests_counted = 0;
  Connection* previous_seen = nullptr;
  Connection* next_seen = nullptr;

  [[nodiscard]] bool late() const { return (record.flags & WIRE_FLAG_LATE) != 0; }
  [[nodiscard]] bool tls() const { return (record.flags & WIRE_FLAG_TLS) != 0; }
  [[nodiscard]] bool goodbye() const { return (record.flags & WIRE_FLAG_GOODBYE) != 0; }
  // Established and not given up by the program: what a pool counts, half-closed and aborted ones included.
  [[nodiscard]] bool held() const {
    return liveness == Liveness::open || liveness == Liveness::half_closed || liveness == Liveness::aborted;
  }
  [[nodiscard]] bool server_gone() const { return record.peer_closed_ns != 0 || record.aborted_ns != 0; }
  // Sent a request after its handshake, as far as was seen.
  [[nodiscard]] bool used() const { return record.last_use_ns != 0; }
};

enum class AgeKind { exact, at_least, unknown };

struct Age {
  AgeKind kind = AgeKind::unknown;
  std::uint64_t ns = 0;  // 0 where unknown
};

// When the program got it; for late ones when it was first seen. 0: not established.
[[nodiscard]] std::uint64_t established_at(const Connection& connection);

// Until `now_ns`, or until it was closed.
[[nodiscard]] Age age(const Connection& connection, std::uint64_t now_ns);

// Since when the application neither sent nor read and no answer came: the last use or its answer, the end of the
// handshake when never used, the socket's own stamp when it is older than the observer and was silent since.
// nullopt: unknown.
[[nodiscard]] std::optional<std::uint64_t> idle_since(const Connection& connection);

// Nanoseconds until `now_ns` or its close; nullopt where unknown or while an answer is due.
[[nodiscard]] std::optional<std::uint64_t> idle_ns(const Connection& connection, std::uint64_t now_ns);

[[nodiscard]] State state(const Connection& connection);

}  // namespace connleak::model
