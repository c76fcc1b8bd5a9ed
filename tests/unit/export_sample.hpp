// SPDX-License-Identifier: Apache-2.0
// Synthetic Snapshots for the tests of views and exporters: a leak beside a healthy pool, every other verdict,
// nulls, and names written to do harm.
#pragma once

#include "report/snapshot.hpp"

namespace connleak::sample {

inline constexpr std::int64_t second = 1'000'000'000;
inline constexpr std::int64_t started = 1'769'900'000 * second;

inline Frame frame(const char* function, const char* file, std::uint32_t line, bool application) {
  Frame f;
  f.function = function;
  f.file = file;
  f.line = line;
  f.module = "/srv/shop/go-shop";
  f.language = "go";
  f.address = 0x4a0000 + line;
  f.application = application;
  return f;
}

inline Group group(const char* address, std::uint16_t port, const char* protocol) {
  Group g;
  g.endpoint = {"inet", address, port, std::nullopt};
  g.protocol = protocol;
  return g;
}

inline Finding go_leak() {
  Finding f;
  f.verdict = Verdict::leak;
  f.rule = "L1";
  f.name = "never-closed";
  f.confidence = Confidence::high;
  f.connections = 24;
  f.epochs = 24;
  f.oldest_age_s = 750.25;
  f.stack_kind = StackKind::last_use;
  f.stack_id = "9f2c41d07a63be15";
  f.stack = {frame("net.(*conn).Write", "/usr/lib/go/src/net/net.go", 191, false),
             frame("github.com/lib/pq.(*conn).send", "/go/pkg/mod/github.com/lib/pq@v1.10.9/conn.go", 1110, false),
             frame("database/sql.ctxDriverPrepare", "/usr/lib/go/src/database/sql/ctxutil.go", 15, false),
             frame("database/sql.(*DB).QueryContext", "/usr/lib/go/src/database/sql/sql.go", 1731, false),
             frame("main.(*Shop).findOrder", "/srv/shop/orders.go", 87, true),
             frame("main.(*Shop).handleOrder", "/srv/shop/server.go", 142, true),
             frame("net/http.HandlerFunc.ServeHTTP", "/usr/lib/go/src/net/http/server.go", 2220, false),
             frame("net/http.(*conn).serve", "/usr/lib/go/src/net/http/server.go", 2092, false),
             frame("runtime.goexit", "/usr/lib/go/src/runtime/asm_amd64.s", 1700, false)};
  f.culprit = f.stack[4];
  f.why = {
      "24 connections were opened while older ones sat idle longer than 30s: a pool that reuses would have "
      "taken one of those",
      "the idle ones grew from 2 to 24 over the last 22 high-water marks and never dropped",
      "the other members served 18230 requests since the oldest was used last"};
  for (int i = 0; i < 24; ++i) {
    Member m;
    m.cookie = 8001U + static_cast<unsigned>(i);
    m.fd = i < 20 ? 9 + i : 40 + i;
    m.local = "127.0.0.1:" + std::to_string(50400 + i);
    m.opened_unix_ns = started + i * 30 * second;
    m.age_s = 750.25 - i * 30;
    m.age_kind = AgeKind::exact;
    m.idle_s = 749.75 - i * 30;
    m.state = "idle";
    m.transaction = "none";
    if (i == 0) m.lease = Lease{"rows", 749.75, 42, false};
    if (i == 1) m.lease = Lease{"connection", 700, std::nullopt, std::nullopt};
    m.goroutine = 34U + static_cast<unsigned>(i);
    f.members.push_back(m);
  }
  f.server_filter =
      "SELECT * FROM pg_stat_activity WHERE client_addr = '127.0.0.1' AND client_port IN (50400, 50401, 50402)";
  return f;
}

inline Process leaking() {
  Process p;
  p.pid = 4711;
  p.start_unix_ns = started - 60 * second;
  p.comm = "go-shop";
  p.exe = "/srv/shop/go-shop";
  p.cgroup = "/system.slice/shop.service";
  p.uid = 1000;
  Group g = group("127.0.0.1", 5432, "postgresql");
  g.tls = false;
  g.user = "app";
  g.database = "shop";
  g.driver = "lib/pq";
  g.open = 26;
  g.in_use = 1;
  g.idle = 25;
  g.opened_total = 26;
  g.oldest_age_s = 750.25;
  g.oldest_idle_s = 749.75;
  g.growth_per_hour = 118.4;
  g.exhausted_in_s = 2100;
  g.pools = {{"0xc000123400", "database/sql", 26, 26, 26, 0, 3, 17, 4.25, 24, Starved::slots_leaked},
             {"0xc000123500", "pgxpool", std::nullopt, 1, 0, 1, 0, 0, std::nullopt, 0, std::nullopt}};
  g.findings = {go_leak()};
  g.not_flagged = {{2, "in use within the last 30s"}};
  p.groups = {g};
  return p;
}

inline Process healthy() {
  Process p;
  p.pid = 4720;
  p.start_unix_ns = started - 60 * second;
  p.comm = "go-pool-ok";
  p.exe = "/srv/shop/go-pool-ok";
  p.cgroup = "/system.slice/pool.service";
  p.uid = 1000;
  Group g = group("127.0.0.1", 5432, "postgresql");
  g.user = "app";
  g.database = "shop";
  g.open = 10;
  g.idle = 10;
  g.opened_total = 10;
  g.oldest_age_s = 610;
  g.oldest_idle_s = 540;
  g.not_flagged = {{10,
                    "idle, but the count settled at 10 after one burst and no connection was opened while a spare "
                    "was idle longer than T = 30s: a pool with spare members"}};
  p.groups = {g};
  return p;
}

inline Process mixed() {
  Process p;
  p.pid = 512;
  p.comm = "worker";
  p.alive = false;
  Group g = group("2001:db8::15", 6432, "mysql");
  g.endpoint.family = "inet6";
  g.tls = true;
  g.open = 2;
  g.half_closed = 1;
  g.in_transaction = 1;
  g.opened_total = 5;
  g.closed_total = 2;
  g.failed_total = 1;
  Finding half;
  half.verdict = Verdict::suspect;
  half.rule = "L7";
  half.name = "half-closed";
  half.confidence = Confidence::high;
  half.complete = false;
  half.connections = 1;
  half.epochs = 1;
  half.also = {"L1", "L5"};
  half.closed_at_exit = true;
  half.why = {"the server closed 1 connection 95s ago and the program has not"};
  Member m;
  m.state = "half_closed";
  m.age_kind = AgeKind::at_least;
  m.age_s = 95;
  half.members = {m};
  half.oldest_age_s = 95;
  Finding held;
  held.verdict = Verdict::held;
  held.name = "open-transaction";
  held.confidence = Confidence::low;
  held.connections = 1;
  held.stack_kind = StackKind::open;
  Frame bare;
  bare.module = "/opt/app/libjob.so";
  bare.address = 0x1f30;
  held.stack = {bare};
  g.findings = {half, held};
  p.groups = {g};
  p.open_at_exit = {{"77aa", frame("job::run(int)", "/opt/app/job.cpp", 12, true), 2},
                    {std::nullopt, std::nullopt, 1}};
  return p;
}

inline Snapshot base() {
  Snapshot s;
  s.tool_version = "0.1.0";
  s.hostname = "web-01";
  s.kernel = "6.12.0";
  s.started_unix_ns = started;
  s.ended_unix_ns = started + 760 * second + 250'000'000;
  return s;
}

// A leak beside a healthy pool.
inline Snapshot typical() {
  Snapshot s = base();
  s.loss.hooks = {{"tp_btf/inet_sock_set_state", true, 412, 0}};
  s.processes = {leaking(), healthy()};
  s.summary = {2, 36, 24, 0, 0, 0, 0};
  return s;
}

// Every section of every view.
inline Snapshot everything() {
  Snapshot s = typical();
  s.processes.insert(s.processes.begin(), mixed());
  s.summary = {3, 38, 24, 1, 1, 0, 3};
  s.attached_late = true;
  s.loss.complete = false;
  s.loss.events_lost = 17;
  s.loss.decode_errors = 1;
  s.loss.hooks.push_back({"cgroup_skb/egress", false, 0, 4});
  s.retractions = {{"L1", 2}, {"L7", 1}};
  s.suppressed = 6;
  Finding& through_helper = s.processes[1].groups[0].findings[0];
  through_helper.callers = {{frame("main.(*Shop).handleOrder", "/srv/shop/server.go", 142, true), 12},
                            {frame("main.(*Shop).nightlyReconciliationOfEveryOpenOrder",
                                   "/srv/shop/internal/reconciliation/nightly_reconciliation.go", 77, true),
                             7},
                            {frame("main.(*Shop).retry", "/srv/shop/retry.go", 9, true), 3},
                            {frame("main.warmUp", "/srv/shop/main.go", 31, true), 1},
                            {frame("main.main", "/srv/shop/main.go", 50, true), 1}};
  through_helper.stack_ids = {"9f2c41d07a63be15", "0123456789abcdef"};
  s.baseline = BaselineOutcome{0,
                               {{"LEAK", "L1", "never-closed", "77aa",
                                 frame("gone()", "/srv/shop/gone.go", 3, true), "go-shop", "postgresql"},
                                {"SUSPECT", "L10", "never-used", std::nullopt, std::nullopt, "worker", "mysql"}}};

  return s;
}

// Names that try to drive a terminal, break a row, a label or a tag, or are no text at all.
inline Snapshot hostile() {
  Snapshot s = base();
  s.hostname = "h\x1b]0;owned\x07\"<b>";
  Process p;
  p.pid = 66;
  p.comm = "=cmd|'/c'!A0\n\x1b[2Jx";
  p.exe = "/tmp/a\"b,c\\d\n</style><script>alert(1)</script>";
  p.cgroup = "/bad\xff\xfe\xc0\x80";
  p.alive = true;
  Group g;
  g.endpoint = {"unix", std::nullopt, std::nullopt,
                std::string("/run/\x1b[31m\xe2\x80\xae"
                            "db\r\n.sock")};
  g.protocol = "postgresql";
  g.user = "<img src=x onerror=alert(1)>";
  g.database = "@SUM(1)\t;=1+1";
  g.open = 3;
  g.idle = 3;
  Finding f;
  f.verdict = Verdict::leak;
  f.rule = "L1";
  f.name = "never-closed";
  f.confidence = Confidence::high;
  f.connections = 3;
  Frame bad;
  bad.function = "f\x1b[2J<script>\"\n\xf5" + std::string(300, 'A');
  bad.file = "-x\x9b.c";
  f.culprit = bad;
  f.callers = {{bad, 3}};
  f.stack = {bad};
  f.why = {"line\nbreak \x1b[0m and \x07 bell"};
  f.server_filter = "datname = 'a''b\x1b'";
  Member m;
  m.local = "@\n";
  m.state = "idle";
  f.members = {m};
  g.findings = {f};
  g.not_flagged = {{1, "reason\n\x1b"}};
  p.groups = {g};
  p.open_at_exit = {{"\xff", bad, 1}};
  s.processes = {p};
  s.retractions = {{"L1\n\"", 1}};
  s.summary = {1, 3, 3, 0, 0, 0, 1};
  return s;
}

}  // namespace connleak::sample
