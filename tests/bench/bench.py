#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The measurements of tools/bench, which builds what they need."""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests/support"))
import connleak  # noqa: E402
import postgres  # noqa: E402

BENCH = os.path.join(ROOT, "build/bench/bin")
PAIRS = 5


def observed(command, environment=None, options=()):
    """Standard output of the command under `connleak run`, and the report."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        done = subprocess.run([connleak.BINARY, "run", "--all", "--fail-on", "never", "--format", "json", "--output",
                               report.name, *options, "--", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env=environment, check=True)
        with open(report.name, encoding="utf-8") as text:
            return done.stdout, json.load(text)


def plain(command, environment=None):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
                          check=True).stdout


def compare(name, unit, without, with_):
    ratios = [b / a for a, b in zip(without, with_)]
    print(f"{name}: {statistics.median(without):,.0f} {unit} without, {statistics.median(with_):,.0f} with; "
          f"ratio {statistics.median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f}, {PAIRS} pairs)")


def groups(report):
    return [group for process in report["processes"] for group in process["groups"]]


def bench_connect():
    """Connections that are opened and closed at once: the worst case, there is nothing but edges."""
    count = 20000
    command = [os.path.join(BENCH, "connect_loop"), str(count)]
    without, with_, exact = [], [], True
    for _ in range(PAIRS):
        without.append(json.loads(plain(command))["ns_each"])
        output, report = observed(command)
        with_.append(json.loads(output)["ns_each"])
        opened = sum(group["opened_total"] for group in groups(report))
        closed = sum(group["closed_total"] for group in groups(report))
        lost = report["loss"]["events_lost"]
        print(f"  the program opened {count}; connleak: opened {opened}, closed {closed}, events lost {lost}")
        exact = exact and (opened, closed, lost) == (count, count, 0)
    compare("connect and close", "ns each", without, with_)
    return exact


def bench_query(unix=False):
    """pgbench -S, two clients: select-only transactions on loopback, or over the unix socket."""
    with postgres.Postgres() as server:
        environment = {**os.environ, "PGHOST": server.directory if unix else "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres",
                       "PGDATABASE": "postgres"}
        pgbench = os.path.join(server.programs, "pgbench")
        subprocess.run([pgbench, "-i", "-q"], env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        command = [pgbench, "-n", "-S", "-c", "2", "-T", "5"]
        tps = re.compile(r"tps = ([0-9.]+)")
        without, with_ = [], []
        for _ in range(PAIRS):
            without.append(float(tps.search(plain(command, environment)).group(1)))
            with_.append(float(tps.search(observed(command, environment)[0]).group(1)))
        compare("pgbench -S over a unix socket" if unix else "pgbench -S", "transactions a second", without, with_)
    return True


def bench_capture():
    """What the hook that takes stacks costs a query, by the kernel's own statistics: taken raw, and walked."""
    switch = "/proc/sys/kernel/bpf_stats_enabled"
    with open(switch, encoding="ascii") as file:
        before = file.read()
    with postgres.Postgres() as server:
        environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(server.port), "PGUSER": "postgres",
                       "PGDATABASE": "postgres", "PATH": os.environ["PATH"] + ":/usr/sbin"}
        pgbench = os.path.join(server.programs, "pgbench")
        subprocess.run([pgbench, "-i", "-q"], env=environment, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        script = f"{pgbench} -n -S -M prepared -c 1 -t 20000 >&2 && bpftool -j prog show"
        costs = {"raw": [], "walked": []}
        try:
            with open(switch, "w", encoding="ascii") as file:
                file.write("1")
            for _ in range(PAIRS):
                for how, options in (("raw", ()), ("walked", ("--capture-bytes", "0"))):
                    output, _ = observed(["sh", "-c", script], environment, options)
                    hook = [program for program in json.loads(output) if "sock_send_length" in program.get("name", "")]
                    costs[how].append(sum(program["run_time_ns"] for program in hook) / 20000)
        finally:
            with open(switch, "w", encoding="ascii") as file:
                file.write(before)
    print(f"send hook: {statistics.median(costs['raw']):.0f} ns a query, both ends, stacks taken raw; "
          f"{statistics.median(costs['walked']):.0f} ns walked; ratio "
          f"{statistics.median([a / b for a, b in zip(costs['raw'], costs['walked'])]):.2f} ({PAIRS} pairs)")
    return True


def bench_unix():
    return bench_query(unix=True)


def bench_replay():
    print(plain([os.path.join(BENCH, "replay_bench")]).rstrip())
    return True


def bench_tick():
    print(plain([os.path.join(BENCH, "tick_bench")]).rstrip())
    return True


def bench_stacks():
    """Stacks of 20 frames, addresses named again, the first name of a large file: connleak itself."""
    print(plain([os.path.join(BENCH, "stack_bench"), os.path.join(BENCH, "stack_subject"), connleak.BINARY]).rstrip())
    return True


def bench_sites():
    """Probes on each kind of instruction: what a hit costs, and what the kernel refuses or gets wrong."""
    print(plain([os.path.join(BENCH, "site_bench")]).rstrip())
    return True


def main():
    benches = {"connect": bench_connect, "query": bench_query, "unix": bench_unix, "capture": bench_capture,
               "replay": bench_replay, "tick": bench_tick, "stacks": bench_stacks, "sites": bench_sites}
    wanted = sys.argv[1:] or list(benches)
    unknown = [name for name in wanted if name not in benches]
    if unknown:
        print(f"bench: {unknown[0]}: expected one of {', '.join(benches)}.", file=sys.stderr)
        return 2
    exact = [benches[name]() for name in wanted]
    if not all(exact):
        print("bench: counts differ from the workload's own", file=sys.stderr)
    return 0 if all(exact) else 1


if __name__ == "__main__":
    sys.exit(main())
