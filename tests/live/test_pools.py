# SPDX-License-Identifier: Apache-2.0
"""Drivers and pools from inside: leases, the pool's own numbers, handles, and nothing of it where it is not wanted."""
import os
import re
import subprocess

from case import LiveCase
from connleak import ROOT, connleak, findings, groups, run_under

FAST = ("--idle-after", "300ms", "--hold-after", "1s")
NUMBERS = ("max_open", "open", "in_use", "idle", "wait_count")


def program(name, *arguments):
    return [os.path.join(ROOT, "build/subjects", name), *arguments]


def hits(outcome):
    return {hook["name"]: hook["hits"] for hook in outcome.report["loss"]["hooks"]}["driver"]


class Pools(LiveCase):
    def run_subject(self, command, *options):
        return run_under(command, *FAST, "--helper", "function:subject_*", *options,
                         environment=dict(self.environment(), PGSSLMODE="disable"))

    def pools(self, outcome):
        return {pool["id"]: pool for _, group in groups(outcome.report) for pool in group["pools"]}

    def check_pools(self, outcome, driver):
        """As the program prints them itself at the same quiet moment, field by field."""
        own = self.truth(outcome)["pools"]
        seen = self.pools(outcome)
        self.check_equal(sorted(seen), sorted(pool["address"] for pool in own), outcome, "the pools, by address")
        for pool in own:
            self.check_equal({name: seen[pool["address"]][name] for name in NUMBERS},
                             {name: pool[name] for name in NUMBERS}, outcome, "numbers of a pool")
            self.check_equal(seen[pool["address"]]["driver"], driver, outcome, "its driver")

    def check_leak(self, outcome, function, held_by):
        (leak,) = findings(outcome.report)
        self.check_equal((leak["verdict"], leak["rule"], leak["connections"], leak["stack_kind"]),
                         ("LEAK", "L2", self.truth(outcome)["leaked"], "acquire"), outcome, "the finding")
        self.check_equal(leak["culprit"]["function"], function, outcome, "who took them")
        self.check_equal({member["lease"]["object"] for member in leak["members"]}, {held_by}, outcome, "held by")
        return leak

    def test_rows_freeze_a_pool(self):
        outcome = self.run_subject(program("go/frozen-rows", "postgres"))
        leak = self.check_leak(outcome, "main.findOrder", "rows")
        self.check_pools(outcome, "database/sql")
        self.check(any("exhausted: 6 of 6 in use" in sentence for sentence in leak["why"]), outcome, "why")

    def test_two_pools_of_one_database(self):
        outcome = self.run_subject(program("go/two-pools", "postgres"))
        self.check_leak(outcome, "main.export", "rows")
        self.check_pools(outcome, "database/sql")

    def test_pgxpool(self):
        outcome = self.run_subject(program("go/pgxpool-frozen"))
        self.check_leak(outcome, "main.main.func1", "connection")
        seen = self.pools(outcome)
        (own,) = self.truth(outcome)["pools"]
        self.check_equal({name: seen[own["address"]][name] for name in NUMBERS[:4]},
                         {name: own[name] for name in NUMBERS[:4]}, outcome, "numbers of the pool")

    def test_none_where_none_are_wanted(self):
        outcome = self.run_subject(program("go/frozen-rows", "postgres"), "--probes", "off")
        self.check_equal((hits(outcome), self.pools(outcome), findings(outcome.report)), (0, {}, []), outcome,
                         "hits, pools, findings")
        outcome = self.run_subject(program("go/frozen-rows", "postgres"), "--probes", "libpq,pgxpool")
        self.check_equal((hits(outcome), self.pools(outcome)), (0, {}), outcome, "of what is not named: hits, pools")

    def test_handles_that_are_never_finished(self):
        for way in ("connectdb", "start", "reset"):
            outcome = self.run_subject(program("c/libpq-unfinished", way))
            (leak,) = findings(outcome.report)
            leaked = self.truth(outcome)["leaked"]
            self.check_equal((leak["verdict"], leak["rule"], leak["connections"]), ("LEAK", "L1", leaked), outcome, way)
            # What connected before the probes were there has no handle.
            told = re.search("PQfinish was called for none of the ([0-9]+) handles", " ".join(leak["why"]))
            self.check(told and leaked - 5 <= int(told[1]) <= leaked, outcome, "what the driver was told")
            (_, group), = groups(outcome.report)
            self.check_equal(group["driver"], "libpq", outcome, "driver")

    def test_doctor_says_where(self):
        with subprocess.Popen(program("go/frozen-rows", "postgres"), stdout=subprocess.DEVNULL,
                              env=dict(self.environment(), PGSSLMODE="disable")) as running:
            outcome = connleak("doctor", "--pid", str(running.pid))
            running.kill()
        self.check_equal(outcome.status, 0, outcome, "status")
        for wanted in ("database/sql in ", "placed   release   database/sql.(*DB).putConn",
                       "placed   acquire   database/sql.(*DB).query", "emulated"):
            self.check(wanted in outcome.stdout, outcome, f"no {wanted!r}")

    def test_an_unknown_driver_is_bad_input(self):
        outcome = connleak("report", "--probes", "libpg")
        self.check_equal((outcome.status, outcome.stdout), (2, ""), outcome, "status, standard output")
        self.check("libpq" in outcome.stderr and len(outcome.stderr.splitlines()) == 1, outcome, "one clear sentence")
