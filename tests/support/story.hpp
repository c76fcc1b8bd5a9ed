// SPDX-License-Identifier: Apache-2.0
// Synthetic streams: a program's life told in virtual time, observed as the kernel side would. Addresses are made
// up.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "detect/detector.hpp"
#include "events/event.hpp"
#include "model/model.hpp"
#include "story_parts.hpp"
#include "wire_builder.hpp"

namespace connleak::test {

class Story {
 public:
  explicit Story(StoryOptions options = {})
      : options_(options),
        model_({false, options.culprit_rules}),
        detector_(model_, {options.idle_after, options.hold_after, options.max_age}) {}

  // ---- time
  [[nodiscard]] std::uint64_t now() const { return now_; }
  // Scans happen when they are due: at the interval, and when the model wants to know what settled.
  void wait(std::chrono::nanoseconds duration) {
    const std::uint64_t until = now_ + static_cast<std::uint64_t>(duration.count());
    for (;;) {
      const std::uint64_t settle = model_.settle_due_ns();
      const std::uint64_t due = settle != 0 ? std::min(settle, next_scan_) : next_scan_;
      if (due > until) break;
      now_ = std::max(now_, due);
      scan();
    }
    now_ = std::max(now_, until);
  }
  void scan() {
    next_scan_ = now_ + static_cast<std::uint64_t>(options_.scan_every.count());
    const std::uint64_t began = now_;
    emit(now_, ScanEvent{false, WIRE_SCAN_LEVELS, began});
    for (auto& wire : wires_) {
      if (!wire.open || hidden_.contains(wire.record.cookie)) continue;
      emit(now_, edge(WIRE_LEVEL, wire));
      emit_gaps(wire);
      if (idle(wire) > options_.idle_after && !wire.place_sent) emit_stack(wire);
    }
    for (const auto& [cookie, session] : sessions_) emit(now_, session);
    for (const auto& [process, requests] : requests_) emit(now_, requests);
    for (const auto& [handle, lease] : leases_) emit(now_, lease);
    for (const auto& [address, pool] : pools_) emit(now_, pool);
    now_ += 100'000;
    emit(now_, ScanEvent{true, WIRE_SCAN_LEVELS, began});
  }
  void finish() {
    wait(150ms);
    scan();
    emit(now_, ScanEvent{true, WIRE_SCAN_FINAL, now_});
  }

  // ---- connections
  Wire& open(OpenOptions how = {}) {
    Wire& wire = wires_.emplace_back();
    wire_connection& record = wire.record;
    const std::uint32_t thread = how.thread == 0 ? how.process : how.thread;
    record = connection(WIRE_OPENED, ++cookies_, now_).connection;
    record.opener = thread_of(how.process, thread);
    record.turn = WIRE_TURN_UNKNOWN;
    record.protocol = WIRE_PROTOCOL_UNKNOWN;
    record.transaction = WIRE_TRANSACTION_UNKNOWN;
    record.user[0] = record.database[0] = '\0';
    record.requests = record.first_use_ns = record.last_use_ns = record.last_answer_ns = record.handshake_ns = 0;
    record.first_user = record.last_user = wire_thread{};
    emit(now_, edge(WIRE_OPENED, wire, record.opener));
    record.established_ns = now_ += 200'000;
    record.local_port = static_cast<std::uint16_t>(20000 + cookies_ % 40000);
    emit(now_, edge(WIRE_ESTABLISHED, wire));
    record.protocol = WIRE_PROTOCOL_POSTGRESQL;
    record.turn = WIRE_TURN_SERVER;
    if (how.tls) record.flags |= WIRE_FLAG_TLS;
    if (!how.tls) {
      put_text(record.user, how.user);
      put_text(record.database, how.database);
    }
    if (!how.handshake) return wire;
    record.handshake_ns = record.last_answer_ns = now_ += 800'000;
    record.turn = WIRE_TURN_CLIENT;
    if (!how.tls) record.transaction = WIRE_TRANSACTION_NONE;
    return wire;
  }
  // A request and its answer.
  void use(Wire& wire, UseOptions how = {}) {
    begin(wire, how);
    wait(how.takes);
    answer(wire, how.opens_transaction);
  }
  void begin(Wire& wire, const UseOptions& how = {}) {
    wire_connection& record = wire.record;
    const wire_thread thread = thread_of(record.opener.tgid, how.thread);
    const std::uint64_t before = std::max<std::uint64_t>(record.last_use_ns, record.last_answer_ns);
    if (record.requests > 0) record.pending_gap_ns = now_ - before;
    if (record.requests == 0) record.first_use_ns = now_, record.first_user = thread;
    if (record.requests > 0 && record.last_user.tid != thread.tid) record.flags |= WIRE_FLAG_SHARED;
    ++record.requests;
    record.last_use_ns = record.last_send_ns = now_;
    record.last_user = thread;
    record.turn = WIRE_TURN_SERVER;
    if (wire.place != how.place) wire.place_sent = false;
    wire.place = how.place;
  }
  void answer(Wire& wire, bool in_transaction = false) {
    wire_connection& record = wire.record;
    record.last_answer_ns = now_;
    record.turn = WIRE_TURN_CLIENT;
    record.transaction = in_transaction ? WIRE_TRANSACTION_OPEN : WIRE_TRANSACTION_NONE;
    if (record.pending_gap_ns == 0) return;
    ++wire.gaps[wire_gap_bucket(record.pending_gap_ns)];
    ++record.gaps;
    record.longest_gap_ns = std::max(record.longest_gap_ns, record.pending_gap_ns);
    record.pending_gap_ns = 0;
  }
  // The stack of its connect: the function of the application that asked for it.
  void opened_at(const Wire& wire, const std::string& function) {
    emit_stack(wire, WIRE_STACK_OPEN, function, wire.record.opener);
  }
  // With a goodbye, as drivers do. `lost`: the edge found no room in the ring.
  void close(Wire& wire, bool lost = false) {
    wire.record.flags |= WIRE_FLAG_GOODBYE | WIRE_FLAG_CLOSER;
    end(wire, lost);
  }
  // Closed by the thread of this name.
  void collect(Wire& wire, const std::string& thread) {
    wire.record.flags |= WIRE_FLAG_CLOSER;
    wire.record.closed_ns = now_;
    wire.open = false;
    ConnectionEvent closed = edge(WIRE_CLOSED, wire, wire.record.opener);
    closed.actor_comm = thread;
    emit_gaps(wire);
    if (!wire.place_sent) emit_stack(wire);
    emit(now_, std::move(closed));
  }
  // The server goes away; the program does not notice. An unread goodbye lies in the queue.
  void peer_close(Wire& wire) {
    wire.record.peer_closed_ns = now_;
    wire.record.unread_bytes = 100;
    emit(now_, edge(WIRE_PEER_CLOSED, wire));
  }
  // Scans do not show it, once or for good.
  void hide(const Wire& wire, bool hidden = true) {
    if (hidden)
      hidden_.insert(wire.record.cookie);
    else
      hidden_.erase(wire.record.cookie);
  }
  void lose(std::uint64_t records) { emit(now_, LossEvent{"closed", 10, lost_ += records, 0, true}); }

  // ---- processes
  void thread_exit(std::uint32_t process, std::uint32_t thread) {
    emit(now_, ProcessEvent{WIRE_THREAD_EXIT, thread_of(process, thread), {}, ""});
  }
  // Thread exits, then (in either order) the process's exit and what the kernel closes for it.
  void exit(std::uint32_t process = 100, bool exit_first = true) {
    std::set<std::uint32_t> threads;
    for (const Wire& wire : wires_)
      if (wire.open && wire.record.opener.tgid == process && wire.record.last_user.tid != 0)
        threads.insert(wire.record.last_user.tid);
    for (const std::uint32_t thread : threads) thread_exit(process, thread);
    const ProcessEvent gone{WIRE_EXIT, thread_of(process), {}, ""};
    if (exit_first) emit(now_, gone);
    for (Wire& wire : wires_) {
      if (!wire.open || wire.record.opener.tgid != process) continue;
      now_ += 10'000;
      wire.record.flags |= WIRE_FLAG_EXITING;
      end(wire, false);
    }
    if (!exit_first) emit(now_ += 10'000, gone);
    std::erase_if(sessions_, [&](const auto& entry) { return entry.second.owner.tgid == process; });
  }
  void fork(std::uint32_t parent, std::uint32_t child) {
    now_ += 1'000'000;
    processes_[child] = now_;
    emit(now_, ProcessEvent{WIRE_FORK, started(child), started(parent), ""});
  }
  [[nodiscard]] wire_thread started(std::uint32_t process) const {
    wire_thread thread = thread_of(process);
    if (const auto found = processes_.find(process); found != processes_.end())
      thread.process_start_ns = thread.thread_start_ns = found->second;
    return thread;
  }
  void execute(std::uint32_t process, const std::string& comm) {
    emit(now_ += 1'000'000, ProcessEvent{WIRE_EXEC, started(process), {}, comm});
  }
  // The process exits; others hold what it had.
  void leave(std::uint32_t process) { emit(now_ += 1'000'000, ProcessEvent{WIRE_EXIT, started(process), {}, ""}); }
  // A scan of holders, which finds the connection in these.
  void hold(const Wire& wire, const std::vector<std::uint32_t>& processes) {
    const std::uint64_t began = now_ += 1'000'000;
    emit(now_, ScanEvent{false, WIRE_SCAN_HOLDERS, began});
    for (const std::uint32_t process : processes)
      emit(now_, HolderEvent{wire.record.cookie, wire.record.opened_ns, started(process), 5, ""});
    emit(now_, ScanEvent{true, WIRE_SCAN_HOLDERS, began});
  }
  // An inbound session; close it with end_session().
  std::uint64_t session(std::uint32_t process = 100) {
    const std::uint64_t cookie = ++cookies_;
    sessions_[cookie] = SessionEvent{thread_of(process), cookie, now_, now_};
    return cookie;
  }
  // An inbound request that was answered after `wait`.
  struct Answer {
    bool alone = true;    // nothing was sent elsewhere meanwhile
    bool failed = false;  // with HTTP 5xx
    std::chrono::nanoseconds cpu{1000};
  };
  void answer(std::chrono::nanoseconds wait, Answer how, std::uint32_t process = 100) {
    RequestsEvent& sums = requests_[process];
    sums.process = thread_of(process);
    sums.cpu_ns += static_cast<std::uint64_t>(how.cpu.count());
    const std::size_t bucket = (wire_gap_bucket(static_cast<std::uint64_t>(wait.count())) + 1) / 2;
    ++sums.answered[bucket];
    if (how.alone) ++sums.alone[bucket];
    if (how.alone && how.failed) ++sums.failed[bucket];
  }
  // ---- leases, as a probe tells them
  void take(Wire& wire, TakeOptions how) {
    wire_connection& record = wire.record;
    record.handle = 0xc000000000 + record.cookie;
    record.driver = WIRE_DRIVER_GO_SQL;
    wire_lease& lease = leases_[record.handle].lease;
    lease.thread = record.opener;
    lease.handle = record.handle;
    lease.pool = kPool;
    lease.owner = 1;
    lease.acquired_ns = now_;
    lease.released_ns = 0;
    ++lease.taken;
    lease.object = static_cast<std::uint8_t>(how.object);
    lease.driver = WIRE_DRIVER_GO_SQL;
    lease.owner_gone = how.owner_gone ? 1 : 0;
    emit(now_, leases_[record.handle]);
    emit_stack(wire, WIRE_STACK_ACQUIRE, how.place, lease.thread);
  }
  void give_back(const Wire& wire) { leases_.at(wire.record.handle).lease.released_ns = now_; }
  // The pool that all leases are of.
  wire_pool& pool(std::uint64_t max_open) {
    wire_pool& pool = pools_[kPool].pool;
    pool.process = thread_of(100);
    pool.pool = kPool;
    pool.max_open = max_open;
    pool.driver = WIRE_DRIVER_GO_SQL;
    return pool;
  }
  void forget_pools() { pools_.clear(); }
  void end_session(std::uint64_t cookie) { sessions_.erase(cookie); }

  // ---- what came of it
  void emit(std::uint64_t time_ns, auto body) {
    Event event{time_ns, 0, std::move(body)};
    if (tap_) tap_(event);
    model_.apply(event);
    detector_.on_event(event);
  }
  // Sees every event before the model does: to make a recording of the story.
  void tap(std::function<void(const Event&)> sees) { tap_ = std::move(sees); }
  [[nodiscard]] const Model& model() const { return model_; }
  [[nodiscard]] const Detector& detector() const { return detector_; }
  [[nodiscard]] std::vector<const model::Group*> groups() const {
    std::vector<const model::Group*> all;
    for (const auto& [key, process] : model_.processes())
      for (const auto& [name, group] : process->groups) all.push_back(group.get());
    return all;
  }
  [[nodiscard]] std::vector<detect::Finding> findings() const {
    std::vector<detect::Finding> all;
    for (const model::Group* group : groups())
      for (const auto& finding : detector_.findings(*group)) all.push_back(finding);
    return all;
  }
  [[nodiscard]] std::vector<detect::NotFlagged> not_flagged() const {
    std::vector<detect::NotFlagged> all;
    for (const model::Group* group : groups())
      for (const auto& spared : detector_.not_flagged(*group)) all.push_back(spared);
    return all;
  }
  [[nodiscard]] std::uint64_t retracted(const std::string& rule) const {
    for (const auto& retraction : detector_.retractions())
      if (retraction.rule == rule) return retraction.connections;
    return 0;
  }
  // Everything that a failing test wants to see.
  [[nodiscard]] std::string told() const {
    static const char* const kVerdicts[] = {"LEAK", "SUSPECT", "HELD", "STALE"};
    std::string text;
    for (const auto& f : findings()) {
      text += std::string(kVerdicts[static_cast<int>(f.verdict)]) + " " + f.rule.value_or("-") + " " +
              std::to_string(f.members.size()) + "\n";
      for (const auto& why : f.why) text += "  " + why + "\n";
    }
    for (const auto& spared : not_flagged())
      text += std::to_string(spared.connections) + ": " + spared.reason + "\n";
    return text;
  }

 private:
  static ConnectionEvent edge(wire_type type, const Wire& wire, wire_thread actor = {}) {
    ConnectionEvent event;
    event.type = type;
    event.actor = actor;
    event.connection = wire.record;
    return event;
  }
  [[nodiscard]] std::chrono::nanoseconds idle(const Wire& wire) const {
    const std::uint64_t since = std::max<std::uint64_t>(wire.record.last_use_ns, wire.record.last_answer_ns);
    return std::chrono::nanoseconds(wire.record.requests == 0 ? 0 : now_ - since);
  }
  void emit_gaps(const Wire& wire) {
    if (wire.record.gaps == 0) return;
    GapsEvent gaps{wire.record.cookie, wire.record.opened_ns, {}};
    std::copy(std::begin(wire.gaps), std::end(wire.gaps), gaps.counts);
    emit(now_, gaps);
  }
  void emit_stack(Wire& wire) {
    wire.place_sent = true;
    emit_stack(wire, WIRE_STACK_LAST_USE, wire.place, wire.record.last_user);
  }
  // `functions`: one of the application, or several with '<' between, innermost first.
  void emit_stack(const Wire& wire, wire_stack_kind kind, const std::string& functions,
                  const wire_thread& thread) {
    const wire_thread process = thread_of(wire.record.opener.tgid);
    const wire_language language = options_.go ? WIRE_LANGUAGE_GO : WIRE_LANGUAGE_NATIVE;
    std::vector<std::uint64_t> addresses = {0x7000};
    if (functions.empty()) emit_driver(process, language);
    std::istringstream text(functions);
    for (std::string function; std::getline(text, function, '<');) {
      const std::uint64_t place = 0x400000 + (std::hash<std::string>{}(function) & 0xfffff0);
      addresses.push_back(place);
      if (!named_.insert({process.tgid, place}).second) continue;
      emit_driver(process, language);
      emit(now_, SymbolEvent{process, place, 0, 1, place, 42, function, "orders.c", "app", language,
                             options_.frames, function == kPing});
    }
    const bool of_lease = kind == WIRE_STACK_ACQUIRE;
    emit(now_,
         StackEvent{of_lease ? wire.record.handle : wire.record.cookie,
                    of_lease ? leases_.at(wire.record.handle).lease.acquired_ns : wire.record.opened_ns, thread,
                    kind, addresses, options_.go ? std::optional<std::uint64_t>(thread.tid) : std::nullopt});
  }
  void emit_driver(const wire_thread& process, wire_language language) {
    emit(now_, SymbolEvent{
                   process, 0x7000, 0, 1, 0x7000, {}, "PQsendQuery", "fe-exec.c", "libpq.so.5", language, false});
  }
  void end(Wire& wire, bool lost) {
    wire.open = false;
    wire.record.closed_ns = now_;
    if (lost) {
      lose(1);
      return;
    }
    const bool silent = idle(wire) > options_.idle_after && wire.record.requests > 0;
    emit_gaps(wire);
    emit(now_, edge(WIRE_CLOSED, wire, wire.record.last_user));
    if (silent && !wire.place_sent) emit_stack(wire);
  }

  std::function<void(const Event&)> tap_;
  StoryOptions options_;
  Model model_;
  Detector detector_;
  std::deque<Wire> wires_;
  std::map<std::uint64_t, SessionEvent> sessions_;
  std::map<std::uint32_t, RequestsEvent> requests_;
  static constexpr std::uint64_t kPool = 0xd000000000;
  std::map<std::uint64_t, LeaseEvent> leases_;  // by handle
  std::map<std::uint64_t, PoolEvent> pools_;
  std::map<std::uint32_t, std::uint64_t> processes_;  // forked ones: when
  std::set<std::uint64_t> hidden_;
  std::set<std::pair<std::uint32_t, std::uint64_t>> named_;
  std::uint64_t now_ = 1'000'000'000'000;
  std::uint64_t next_scan_ = 1'000'000'000'000;
  std::uint64_t cookies_ = 0;
  std::uint64_t lost_ = 0;
};

}  // namespace connleak::test
