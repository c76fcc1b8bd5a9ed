// SPDX-License-Identifier: Apache-2.0
// Events become connections, groups and processes.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "events/event.hpp"
#include "model/culprit_rules.hpp"
#include "model/process.hpp"

namespace connleak::model {

struct HookLoss {
  bool attached = false;
  std::uint64_t hits = 0;
  std::uint64_t dropped = 0;
  std::uint64_t missed = 0;
};

struct Losses {
  std::map<std::string, HookLoss> hooks;
  std::uint64_t events_lost = 0;  // dropped and missed, all hooks
  std::uint64_t decode_errors = 0;
  std::uint64_t late_events = 0;   // came after something newer was handed on
  std::uint64_t repaired = 0;      // connections gone without an edge, found by two scans
  std::uint64_t last_lost_ns = 0;  // when a loss was last learnt of; 0: never
  [[nodiscard]] bool complete() const { return events_lost == 0 && decode_errors == 0; }
};

struct ModelOptions {
  bool all = false;  // --all: connections of which no protocol is known have groups, too
  CulpritRules culprit_rules{};
};

struct Scan {
  std::uint64_t number = 0;  // 1 for the first LEVELS scan
  std::uint64_t began_ns = 0;
  std::uint64_t ended_ns = 0;
};

// Events must come ordered by time. Nothing here reads a clock: SCAN_END is the only "now". Pointers handed out
// stay valid until the apply() after the next tick; longer while `holds` is raised. Closed connections are
// remembered for two seconds, exited processes with connections up to kExitedKept of them.
class Model {
 public:
  static constexpr std::size_t kExitedKept = 1000;  // a page of history, about 1 KiB each

  explicit Model(ModelOptions options = {}) : options_(std::move(options)) {}
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  void apply(const Event& event);
  // True if this event is a tick: the end of a LEVELS scan, or the observer's end.
  [[nodiscard]] static bool is_tick(const Event& event);
  void add_decode_errors(std::uint64_t count, std::uint64_t time_ns);
  void add_late_events(std::uint64_t count) { losses_.late_events += count; }

  [[nodiscard]] const std::map<ProcessKey, std::unique_ptr<Process>>& processes() const { return processes_; }
  [[nodiscard]] const Process* find_process(ProcessKey key) const;
  [[nodiscard]] const Connection* find(ConnectionKey key) const;
  [[nodiscard]] const Losses& losses() const { return losses_; }
  // The LEVELS scan that ended last, the one before, and the one before that.
  [[nodiscard]] const Scan& scan() const { return scans_[0]; }
  [[nodiscard]] const Scan& earlier_scan(std::size_t back) const { return scans_[back]; }
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }  // of the last tick
  [[nodiscard]] bool final() const { return final_; }
  // Open inbound connections as the scans of the last 3 s saw them; of an exited process, of its last.
  [[nodiscard]] std::vector<Session> sessions(const Process& process) const;
  // Connections whose facts changed since the tick before; complete at a tick, until the next apply().
  [[nodiscard]] const std::vector<Connection*>& changes() const { return changes_; }
  // Connections that all processes held there when the server last refused one for want of a slot; nullopt: it
  // never did. What other hosts hold counts in, as far as that stays the same.
  [[nodiscard]] std::optional<std::uint64_t> limit(const Address& address) const;
  [[nodiscard]] std::uint64_t held(const Address& address) const;  // by all processes
  // Connections without a known protocol, in no group.
  [[nodiscard]] std::size_t candidates() const;
  // Dropped by the observer because the first bytes were no database's.
  [[nodiscard]] std::uint64_t dismissed() const { return dismissed_; }
  [[nodiscard]] std::size_t remembered() const { return connections_.size(); }
  // The model wants a LEVELS scan that began at or after this stamp, because an endpoint has more connections than
  // ever and last uses must be read once that has settled. 0: none is wanted.
  [[nodiscard]] std::uint64_t settle_due_ns() const { return settle_due_ns_; }
  // A HOLDERS scan would tell something: connections are in several processes, or may be after a fork or an exit.
  [[nodiscard]] bool holders_wanted() const { return holders_wanted_; }

 private:
  void on(const Event& event, const ConnectionEvent& body);
  void on(const Event& event, const ProcessEvent& body);
  void on(const Event& event, const GapsEvent& body);
  void on(const Event& event, const StackEvent& body);
  void on(const Event& event, const HolderEvent& body);
  void on(const Event& event, const SessionEvent& body);
  void on(const Event& event, const RequestsEvent& body);
  void on(const Event& event, const LeaseEvent& body);
  void on(const Event& event, const PoolEvent& body);
  void on(const Event& event, const ScanEvent& body);
  void on(const Event& event, const LossEvent& body);
  void on(const Event& event, const ProcessInfoEvent& body);
  void on(const Event& event, const SymbolEvent& body);

  Process& process(ProcessKey key);
  Connection& create(ConnectionKey key, const ConnectionEvent& body);
  void adopt(Connection& connection, const ConnectionEvent& body, std::uint64_t time_ns);
  void set_liveness(Connection& connection, Liveness liveness, std::uint64_t time_ns);
  [[nodiscard]] Group* only_account(const Connection& connection) const;
  void place(Connection& connection);  // into its group, once that is known
  void move(Connection& connection, Process& to);
  void join(Connection& connection, Group& group);
  void leave(Connection& connection);
  void count(Connection& connection);  // its numbers into its group's
  void note_failed(Connection& connection);
  void disprove(Group& group, const char* reason);
  void changed(Connection& connection);
  void seen(Connection& connection, std::uint64_t time_ns, bool in_scan);
  void unlink_seen(Connection& connection);
  void end_levels(const Event& event, const ScanEvent& body);
  void repair_missing();
  void note_fork(const StackEvent& body);
  void note_acquire(const StackEvent& body);
  void join_lease(Connection& connection);
  void part_lease(Connection& connection);
  void begin_child(Process& child, ProcessKey parent);
  void note_user(Connection& connection);
  [[nodiscard]] Process* heir(const Connection& connection);
  [[nodiscard]] Inheritance inheritance(const Connection& connection) const;
  void look_at_holders(Connection& connection, std::uint64_t time_ns);
  void end_holders(std::uint64_t time_ns);
  void look_at_threads();
  void settle_exits();
  void assume_protocols();
  void forget();
  void erase(Connection& connection);

  ModelOptions options_;
  std::map<ProcessKey, std::unique_ptr<Process>> processes_;
  std::unordered_map<ConnectionKey, std::unique_ptr<Connection>, ConnectionKeyHash> connections_;
  std::map<Address, wire_protocol> known_;  // what answers there
  std::map<Address, std::uint64_t> limits_;
  std::vector<ConnectionKey> late_unknown_;  // late and silent, protocol unknown
  bool known_grew_ = false;
  std::vector<Connection*> changes_;
  std::vector<Process*> with_dead_threads_;
  std::vector<Process*> exiting_;  // exited, their connections not yet settled
  std::deque<ProcessKey> exited_;
  std::deque<ConnectionKey> closed_;        // in the order of their close
  std::vector<ConnectionKey> closed_held_;  // closed, kept by a judgement
  Connection* oldest_seen_ = nullptr;
  Connection* newest_seen_ = nullptr;
  Losses losses_;
  Scan scans_[3];
  std::uint64_t open_scan_ = 0;  // number of the LEVELS scan under way, else of the last
  std::uint64_t holders_scan_ = 0;
  std::vector<ConnectionKey> held_;  // by anyone, as the HOLDERS scan under way has seen
  bool holders_wanted_ = false;
  std::uint64_t now_ns_ = 0;
  std::uint64_t dismissed_ = 0;
  std::uint64_t settle_due_ns_ = 0;
  std::uint64_t settle_last_ns_ = 0;
  bool final_ = false;
  bool ticked_ = false;
};

}  // namespace connleak::model

namespace connleak {
using model::Model;
using model::ModelOptions;
}  // namespace connleak
