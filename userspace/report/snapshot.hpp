// SPDX-License-Identifier: Apache-2.0
// The one immutable picture that views and exporters read. Fields follow the report schema
// connleak.report/1; missing is nullopt, never 0 or "". Ages and idle times are seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace connleak {

enum class Verdict { leak, suspect, held, stale };
enum class Confidence { high, medium, low };
enum class AgeKind { exact, at_least, unknown };
enum class StackKind { acquire, last_use, open };
enum class ConnectionState { opening, in_use, idle, in_transaction, half_closed };

struct Endpoint {
  std::string family;  // inet, inet6, unix
  std::optional<std::string> address;
  std::optional<std::uint16_t> port;
  std::optional<std::string> path;  // unix only
  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

struct Frame {
  std::optional<std::string> function;
  std::optional<std::string> file;
  std::optional<std::uint32_t> line;
  std::optional<std::string> module;
  std::optional<std::string> language;
  std::uint64_t address = 0;
  bool application = false;  // not libc, driver, pool or standard library
};

// Who answers on a unix socket.
struct Peer {
  std::uint32_t pid = 0;  // as its own pid namespace has it
  std::string comm;
};

// Taken out of its pool and not given back, as a probe saw it.
struct Lease {
  std::string object;  // rows, transaction, statement, connection, call
  double held_s = 0;
  std::optional<std::uint64_t> goroutine;  // that took it
  std::optional<bool> owner_alive;         // false: it has ended; nullopt: not known
};

struct Member {
  std::uint64_t cookie = 0;
  std::optional<int> fd;
  std::optional<std::string> local;  // "address:port"
  std::optional<Peer> peer;
  std::optional<std::int64_t> opened_unix_ns;
  std::optional<double> age_s;
  AgeKind age_kind = AgeKind::unknown;
  std::optional<double> idle_s;
  std::string state;                       // idle, in_use, in_transaction, half_closed, closed
  std::optional<std::string> transaction;  // none, open, failed
  std::optional<std::uint64_t> goroutine;  // of a Go program: whose stack is blamed
  std::optional<Lease> lease;
};

// Why who wants a connection waits: some never come back, or all come back and are too few.
enum class Starved { slots_leaked, too_small };

// One pool object of the program, its numbers of one instant.
struct Pool {
  std::string id;  // its address there
  std::string driver;
  std::optional<std::uint64_t> max_open;  // nullopt: no limit
  std::uint64_t open = 0;
  std::uint64_t in_use = 0;
  std::uint64_t idle = 0;
  std::uint64_t waiting = 0;  // now
  std::uint64_t wait_count = 0;
  std::optional<double> wait_seconds;
  std::uint64_t lost = 0;          // taken out of it and in a LEAK or SUSPECT
  std::optional<Starved> starved;  // nullopt: nobody waits
};

// An application frame behind the culprit, and how many of the members came through it.
struct Caller {
  Frame frame;
  std::uint64_t connections = 0;
};

struct Finding {
  Verdict verdict = Verdict::suspect;
  std::optional<std::string> rule;  // "L1"; absent for HELD and STALE
  std::string name;                 // "never-closed"
  Confidence confidence = Confidence::medium;
  bool complete = true;  // false: events were lost in its time
  std::uint64_t connections = 0;
  std::uint64_t epochs = 0;
  std::optional<double> oldest_age_s;
  std::optional<std::int64_t> flagged_unix_ns;  // since when the rule accuses; absent for HELD and STALE
  std::optional<Frame> culprit;
  std::vector<Caller> callers;  // most first; where the culprit looks like a helper, else empty
  std::optional<StackKind> stack_kind;
  std::optional<std::string> stack_id;  // of the stack that most members have
  std::vector<std::string> stack_ids;   // of all that were merged, most members first
  std::vector<Frame> stack;
  std::vector<std::string> why;
  std::vector<std::string> also;  // other rules that fit
  bool closed_at_exit = false;
  bool known = false;  // the baseline has it
  std::vector<Member> members;
  std::optional<std::string> server_filter;
};

struct NotFlagged {
  std::uint64_t connections = 0;
  std::string reason;
};

struct Group {
  Endpoint endpoint;
  std::string protocol;  // postgresql, ..., unknown
  std::optional<bool> tls;
  std::optional<std::string> user;
  std::optional<std::string> database;
  std::optional<std::string> driver;
  std::uint64_t open = 0;  // = in_use + idle + in_transaction + half_closed
  std::uint64_t in_use = 0;
  std::uint64_t idle = 0;
  std::uint64_t in_transaction = 0;
  std::uint64_t half_closed = 0;
  std::uint64_t opened_total = 0;
  std::uint64_t closed_total = 0;
  std::uint64_t failed_total = 0;
  std::optional<double> oldest_age_s;
  std::optional<double> oldest_idle_s;
  std::optional<double> growth_per_hour;
  std::optional<double> exhausted_in_s;
  std::vector<Pool> pools;
  std::vector<Finding> findings;
  std::vector<Finding> suppressed;  // hidden by --suppress: neither shown nor counted, and not gone either
  std::vector<NotFlagged> not_flagged;
};

struct OpenAtExit {
  std::optional<std::string> stack_id;
  std::optional<Frame> culprit;
  std::uint64_t connections = 0;
};

struct Process {
  std::uint32_t pid = 0;
  std::optional<std::int64_t> start_unix_ns;
  std::string comm;
  std::optional<std::string> exe;
  std::optional<std::string> cgroup;
  std::optional<std::string> container_id;
  std::optional<std::uint32_t> uid;
  bool alive = true;
  std::vector<OpenAtExit> open_at_exit;
  std::vector<Group> groups;
};

struct HookCount {
  std::string name;
  bool attached = false;
  std::uint64_t hits = 0;
  std::uint64_t missed = 0;
};

struct Loss {
  bool complete = true;
  std::uint64_t events_lost = 0;
  std::uint64_t decode_errors = 0;
  std::vector<HookCount> hooks;
};

// Counts are connections, not findings.
struct Summary {
  std::uint64_t processes = 0;
  std::uint64_t connections_open = 0;
  std::uint64_t leak = 0;
  std::uint64_t suspect = 0;
  std::uint64_t held = 0;
  std::uint64_t stale = 0;
  std::uint64_t retracted = 0;
};

struct RetractionCount {
  std::string rule;
  std::uint64_t connections = 0;
};

// A finding of an earlier report.
struct BaselineFinding {
  std::string verdict;  // as in the report
  std::optional<std::string> rule;
  std::string name;
  std::optional<std::string> stack_id;
  std::optional<Frame> culprit;
  std::string comm;
  std::string protocol;
  std::vector<std::string> stack_ids{};  // all; empty: it had no stack
};

struct BaselineOutcome {
  std::uint64_t known = 0;            // connections in findings that the baseline has, too
  std::vector<BaselineFinding> gone;  // LEAK and SUSPECT of the baseline that are not found any more
};

struct Snapshot {
  std::string tool_version;
  std::string hostname;
  std::string kernel;
  std::int64_t started_unix_ns = 0;
  std::int64_t ended_unix_ns = 0;
  bool attached_late = false;
  Loss loss;
  Summary summary;
  std::vector<RetractionCount> retractions;
  std::uint64_t suppressed = 0;             // connections hidden by --suppress
  std::optional<BaselineOutcome> baseline;  // nullopt: none was given
  std::vector<Process> processes;           // by pid, then start time
};

}  // namespace connleak
