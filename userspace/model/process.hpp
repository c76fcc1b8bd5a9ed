// SPDX-License-Identifier: Apache-2.0
// Processes, and the groups in which their connections are judged.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "model/connection.hpp"
#include "model/histogram.hpp"

namespace connleak::model {

// Within one process. user and database are "" where they are not visible.
struct GroupKey {
  Address address;
  wire_protocol protocol = WIRE_PROTOCOL_UNKNOWN;
  std::string user;
  std::string database;
  auto operator<=>(const GroupKey&) const = default;
};

struct Group {
  GroupKey key;
  Process* process = nullptr;
  std::set<Connection*> members;  // held now; order means nothing (sort by key before showing)
  std::uint64_t opened = 0;       // established since the observer began, late ones included
  std::uint64_t closed = 0;       // of those, and of members that came from another process, which opened them
  std::uint64_t failed = 0;
  std::uint64_t requests = 0;  // seen by all members
  Histogram gaps;              // completed idle gaps
  Histogram lifetimes;         // of closed members, late ones excepted
  Histogram longest_open;      // each used member's longest completed gap, birth to first use included
  Histogram longest_closed;
  std::uint8_t driver = 0;    // enum wire_driver: of a member, where probes told
  bool tls = false;           // a member is encrypted: the handshake is hidden
  bool frames_known = false;  // a last-use stack of a member had an application frame
  // Why a thread does not own its connections here; "" while each member has served one live thread only.
  std::string affinity_disproved;

  [[nodiscard]] bool affine() const { return affinity_disproved.empty(); }
};

// An open inbound connection.
struct Session {
  std::uint64_t cookie = 0;
  std::uint64_t accepted_ns = 0;
  std::uint64_t last_receive_ns = 0;
};

// A session as the scans saw it last.
struct SeenSession {
  Session session;
  std::uint64_t seen_ns = 0;
};

// What the process answered on its sessions, summed up since it was first seen; counts by wait as in
// wire_requests.
struct Requests {
  using Counts = std::array<std::uint32_t, WIRE_WAIT_BUCKETS>;
  std::uint64_t first_ns = 0;  // when the sums were first seen
  std::uint64_t time_ns = 0;   // of these sums
  std::uint64_t cpu_ns = 0;    // 0: not known
  Counts answered{}, alone{}, failed{};
};

struct OpenAtExit {
  const Stack* stack = nullptr;  // last use, else open; nullptr: none known
  std::uint64_t connections = 0;
};

struct Process {
  ProcessKey key;
  std::string comm;
  std::optional<std::string> exe;
  std::optional<std::string> cgroup;
  std::optional<std::uint64_t> cgroup_id;
  std::optional<std::uint32_t> uid;
  std::optional<std::string> frames_note;  // why the frames of its code are not seen, and what would help
  std::optional<ProcessKey> parent;
  // Those that held connections when they, or their children, forked it; innermost last.
  std::vector<ProcessKey> ancestors;
  // Where it was forked by one with connections, and its ancestors before it; innermost last.
  struct Fork {
    ProcessKey parent;
    const Stack* stack = nullptr;
  };
  std::vector<Fork> forks;
  std::uint64_t executed_ns = 0;  // last exec; 0: none was seen
  bool uses_inherited = false;    // it used a connection that it has from a fork, or from before its exec
  bool alive = true;
  std::uint64_t exited_ns = 0;
  std::vector<OpenAtExit> open_at_exit;  // filled at the tick after the exit
  std::map<GroupKey, std::unique_ptr<Group>> groups;
  std::uint64_t last_answered_ns = 0;  // last answer to a request on any of its connections
  bool go = false;
  std::optional<Requests> requests;  // nullopt: it has answered none that we saw
  struct Endpoint {
    std::uint64_t held = 0;
    std::uint64_t most = 0;
  };
  std::map<Address, Endpoint> endpoints;  // candidates included
  StackBook stacks;
  std::map<std::uint64_t, Lease> leases;  // by handle
  std::map<std::uint64_t, Pool> pools;    // by address
  mutable std::uint32_t holds = 0;        // as Connection::holds

  // It hands connections to others: pgbouncer and the like, by name. Their legs to the server are theirs to keep.
  [[nodiscard]] bool pooler() const;

  // Book-keeping of Model.
  std::map<std::uint64_t, SeenSession> sessions;  // by cookie; the gone ones for a while
  std::uint64_t sessions_scan = 0;
  std::map<ThreadKey, std::uint64_t> dead_threads;  // when they exited; until looked at
  std::set<Connection*> connections;                // all that are remembered, candidates included
  bool exit_settled = false;                        // its closed edges are in: it can be judged
};

}  // namespace connleak::model
