# SPDX-License-Identifier: Apache-2.0
"""Healthy pools stay unflagged, and the report says why."""
import subprocess
from concurrent.futures import ThreadPoolExecutor

from case import LiveCase, server
from connleak import LONG, findings, groups, run_under, subject

SECONDS = 60 if LONG else 20


class Healthy(LiveCase):
    def test_pools_at_once(self):
        """Each under an observer of its own; they only wait, so they may as well wait together."""
        pools = {
            "go, burst then serial": [subject("go-pool-healthy"), "-size", "10", "-for", f"{SECONDS}s"],
            "c, burst then serial": [subject("c-libpq-pool"), "burst", "10", str(SECONDS)],
            "c, minimum size": [subject("c-libpq-pool"), "minimum", "10", str(SECONDS)],
            "c, cold tail": [subject("c-libpq-pool"), "lifo", "10", str(SECONDS)],
        }
        environment = self.environment()
        with ThreadPoolExecutor(len(pools)) as together:
            started = {name: together.submit(run_under, command, "--idle-after", "300ms", environment=environment)
                       for name, command in pools.items()}
        for name, future in started.items():
            with self.subTest(name):
                self.healthy(future.result())

    def healthy(self, outcome):
        truth = self.truth(outcome)
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        (_, group), = groups(outcome.report, server().port)
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened_total")
        spared = group["not_flagged"]
        self.check(sum(entry["connections"] for entry in spared) >= truth["open"] - 1, outcome,
                   "not_flagged names the idle members")
        self.check(all(entry["reason"].strip() for entry in spared), outcome, "each with a reason")
        self.check(outcome.report["loss"]["complete"], outcome, "nothing was lost")

    def test_another_process_is_out_of_scope(self):
        """A leak beside the observed pool is not in its report."""
        leaking = subprocess.Popen([subject("c-libpq-leak"), "20"], env=self.environment(),
                                   stdout=subprocess.DEVNULL)
        try:
            outcome = run_under([subject("c-libpq-pool"), "burst", "3", "3"], "--idle-after", "300ms",
                                environment=self.environment())
        finally:
            leaking.wait(timeout=60)
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check_equal([process["comm"] for process in outcome.report["processes"]], ["c-libpq-pool"], outcome,
                         "processes")
