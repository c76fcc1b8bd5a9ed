// SPDX-License-Identifier: Apache-2.0
// Events and records with sensible fields, for tests to change what they are about. Synthetic addresses only.
#pragma once

#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "events/decode.hpp"
#include "events/encode.hpp"
#include "events/event.hpp"

namespace connleak::test {

// Keeps what it is given.
class Collector final : public EventSink {
 public:
  void event(Event&& event) override { events.push_back(std::move(event)); }
  std::vector<Event> events;
};

template <std::size_t N>
void put_text(char (&field)[N], std::string_view text) {
  std::fill(std::begin(field), std::end(field), '\0');
  std::copy_n(text.begin(), std::min(text.size(), N - 1), field);
}

inline wire_thread thread_of(std::uint32_t tgid, std::uint32_t tid = 0) {
  return {tgid, tid == 0 ? tgid : tid, 1'000'000u + tgid, 1'000'000u + (tid == 0 ? tgid : tid)};
}

// An established PostgreSQL connection of process 100 from 192.0.2.1:40000 to 192.0.2.2:5432, on the client's
// turn.
inline ConnectionEvent connection(wire_type type, std::uint64_t cookie, std::uint64_t opened_ns = 1'000'000'000) {
  ConnectionEvent event;
  event.type = type;
  event.actor = type == WIRE_OPENED || type == WIRE_CLOSED ? thread_of(100) : wire_thread{};
  wire_connection& c = event.connection;
  c.cookie = cookie;
  c.opened_ns = opened_ns;
  c.established_ns = type == WIRE_OPENED ? 0 : opened_ns + 100'000;
  c.opener = thread_of(100);
  c.netns = 4026531840;
  c.family = AF_INET;
  c.local_port = type == WIRE_OPENED ? std::uint16_t{0} : std::uint16_t{40000};
  c.remote_port = 5432;
  c.tcp_state = 1;
  c.turn = WIRE_TURN_CLIENT;
  c.transaction = WIRE_TRANSACTION_NONE;
  c.protocol = WIRE_PROTOCOL_POSTGRESQL;
  const std::uint8_t local[4] = {192, 0, 2, 1};
  const std::uint8_t remote[4] = {192, 0, 2, 2};
  std::copy(std::begin(local), std::end(local), c.local);
  std::copy(std::begin(remote), std::end(remote), c.remote);
  put_text(c.comm, "app");
  put_text(c.user, "alice");
  put_text(c.database, "shop");
  return event;
}

template <class Body>
Event at(std::uint64_t time_ns, Body body, std::uint32_t cpu = 0) {
  return Event{time_ns, cpu, std::move(body)};
}

inline Event edge(wire_type type, std::uint64_t time_ns, std::uint64_t cookie,
                  std::uint64_t opened_ns = 1'000'000'000) {
  return at(time_ns, connection(type, cookie, opened_ns));
}

inline Event scan_end(std::uint64_t time_ns, wire_scan_kind kind = WIRE_SCAN_LEVELS) {
  return at(time_ns, ScanEvent{true, kind, time_ns});
}

inline std::vector<std::byte> bytes_of(const std::vector<Event>& events) {
  std::vector<std::byte> out;
  for (const Event& event : events) encode(event, out);
  return out;
}

// One of each kind of event, with every optional field present in one of them and absent in another.
inline std::vector<Event> one_of_each() {
  std::vector<Event> events;
  std::uint64_t time_ns = 2'000'000'000;
  const auto add = [&](auto body) { events.push_back(at(time_ns += 1000, std::move(body), 1)); };
  for (const wire_type type : {WIRE_OPENED, WIRE_ESTABLISHED, WIRE_FAILED, WIRE_PEER_CLOSED, WIRE_ABORTED,
                               WIRE_CLOSED, WIRE_DISMISSED, WIRE_LEVEL}) {
    add(connection(type, 7));
  }
  for (const wire_type type : {WIRE_FORK, WIRE_EXEC, WIRE_EXIT, WIRE_THREAD_EXIT}) {
    add(ProcessEvent{type, thread_of(100), type == WIRE_FORK ? thread_of(99) : wire_thread{}, "app"});
  }
  GapsEvent gaps{7, 1'000'000'000, {}};
  gaps.counts[0] = 3;
  gaps.counts[WIRE_GAP_BUCKETS - 1] = 65535;
  add(gaps);
  add(StackEvent{7, 1'000'000'000, thread_of(100, 101), WIRE_STACK_LAST_USE, {0x401000, 0x402000, 0x403000}});
  add(StackEvent{7, 1'000'000'000, thread_of(100), WIRE_STACK_CLOSE, {}});
  add(HolderEvent{7, 1'000'000'000, thread_of(100), 5, "app"});
  add(SessionEvent{thread_of(100), 8, 1'500'000'000, 1'600'000'000});
  RequestsEvent requests{thread_of(100), 250'000'000, {}, {}, {}};
  requests.answered[0] = 100;
  requests.answered[40] = requests.alone[40] = 7;
  requests.failed[WIRE_WAIT_BUCKETS - 1] = 1;
  add(requests);
  LeaseEvent lease;
  lease.lease.thread = thread_of(100, 101);
  lease.lease.handle = 0xc000123400;
  lease.lease.pool = 0xc000045000;
  lease.lease.owner = 0xc000001500;
  lease.lease.goroutine = 42;
  lease.lease.acquired_ns = 1'700'000'000;
  lease.lease.released_ns = 1'800'000'000;
  lease.lease.taken = 17;
  lease.lease.object = WIRE_OBJECT_ROWS;
  lease.lease.driver = WIRE_DRIVER_GO_SQL;
  lease.lease.owner_gone = 1;
  add(lease);
  PoolEvent pool;
  pool.pool.process = thread_of(100);
  pool.pool.pool = 0xc000045000;
  pool.pool.max_open = 10;
  pool.pool.open = pool.pool.in_use = 7;
  pool.pool.idle = 3;
  pool.pool.waiting = 2;
  pool.pool.wait_count = 99;
  pool.pool.wait_ns = ~std::uint64_t{0};
  pool.pool.driver = WIRE_DRIVER_PGXPOOL;
  add(pool);
  add(ScanEvent{false, WIRE_SCAN_HOLDERS, 1'900'000'000});
  add(ScanEvent{true, WIRE_SCAN_HOLDERS, 1'900'000'000});
  add(ScanEvent{true, WIRE_SCAN_FINAL, 1'900'000'000});
  add(LossEvent{"tp_btf__inet_sock_set_state", 100, 2, 1, true});
  add(LossEvent{"", 0, 0, 0, false});
  add(ProcessInfoEvent{thread_of(100), thread_of(1), 42, 1000, "app", "/usr/bin/app", "/system.slice/app.service",
                       std::nullopt});
  add(ProcessInfoEvent{thread_of(101), {}, 0, 0, "", std::nullopt, "", "Node.js shows its functions when ..."});
  add(SymbolEvent{thread_of(100), 0x401000, 1, 2, 0x1000, 42, "main.query", "main.go", "app", WIRE_LANGUAGE_GO,
                  true});
  add(SymbolEvent{thread_of(100), 0x402000, 0, 1, 0x2000, std::nullopt, std::nullopt, std::nullopt, "libpq.so.5",
                  WIRE_LANGUAGE_UNKNOWN, false});
  return events;
}

}  // namespace connleak::test
