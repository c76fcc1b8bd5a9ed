# SPDX-License-Identifier: Apache-2.0
"""Redis, with the real server and a real driver; the truth is what the subject prints."""
import os

from case import LiveCase
from connleak import findings, groups, run_under
from redis_server import Redis

SUBJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../subjects/redis-actor.py")


class RedisConnections(LiveCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Redis()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.stop)

    def observe(self, what, *options):
        outcome = run_under(["/usr/bin/python3", "-I", SUBJECT, what, str(self.server.port)], "--idle-after", "300ms",
                            *options, environment={"PATH": "/usr/bin:/bin"})
        truth = self.truth(outcome)
        (process, group), = groups(outcome.report, self.server.port)
        self.check_equal(group["protocol"], "redis", outcome, "protocol")
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened, to the unit")
        return outcome, truth, process, group

    def test_leak(self):
        outcome, truth, _, group = self.observe("leak")
        (leak,) = findings(outcome.report)
        self.check_equal((leak["verdict"], leak["rule"], leak["connections"]), ("LEAK", "L1", truth["leaked"]), outcome,
                         "the finding")
        self.check_equal(outcome.status, 23, outcome, "status")

    def test_healthy_pool(self):
        outcome, _, _, _ = self.observe("pool")
        self.check_equal((findings(outcome.report), outcome.status), ([], 0), outcome, "nothing found")

    def test_transaction_held(self):
        outcome, _, _, _ = self.observe("held", "--hold-after", "1s")
        (held,) = findings(outcome.report)
        self.check_equal((held["verdict"], held["connections"], held["members"][0]["transaction"]),
                         ("HELD", 1, "open"), outcome, "the MULTI, and not the pipeline that executed its own")

    def test_subscribers_are_exempt(self):
        outcome, _, _, group = self.observe("listen")
        self.check_equal(findings(outcome.report), [], outcome, "nothing found")
        reasons = [(line["connections"], line["reason"]) for line in group["not_flagged"]]
        self.check(reasons and reasons[0][0] == 6 and "exempt" in reasons[0][1], outcome, f"exempt: {reasons}")
