# SPDX-License-Identifier: Apache-2.0
"""MySQL's protocol, with a real MariaDB and a real driver; the truth is what the subject prints."""
import os
import subprocess
import time

from case import LiveCase
from connleak import Observation, findings, groups, run_under
from mariadb import MariaDb

SUBJECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../subjects/mysql-actor.py")


class MysqlConnections(LiveCase):
    @classmethod
    def setUpClass(cls):
        cls.server = MariaDb()
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.stop)

    def observe(self, what, *options):
        outcome = run_under(["/usr/bin/python3", "-I", SUBJECT, what, str(self.server.port)], "--idle-after", "300ms",
                            *options, environment={"PATH": "/usr/bin:/bin"})
        truth = self.truth(outcome)
        (process, group), = groups(outcome.report, self.server.port)
        self.check_equal((group["protocol"], group["user"], group["database"]), ("mysql", "app", "shop"), outcome,
                         "protocol, user, database")
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened, to the unit")
        return outcome, truth, group

    def test_leak(self):
        outcome, truth, _ = self.observe("leak")
        (leak,) = findings(outcome.report)
        self.check_equal((leak["verdict"], leak["rule"], leak["connections"]), ("LEAK", "L1", truth["leaked"]), outcome,
                         "the finding")

    def test_leak_attached_late(self):
        command = ["/usr/bin/python3", "-I", SUBJECT, "leak", str(self.server.port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"}) as subject:
            time.sleep(1)  # some are lost before anyone looks
            with Observation([subject.pid], "--idle-after", "300ms") as observation:
                subject.wait(timeout=30)
                outcome = observation.finish()
        self.check_equal(outcome.report["window"]["attached_late"], True, outcome, "attached_late")
        self.check_equal({group["protocol"] for _, group in groups(outcome.report, self.server.port)}, {"mysql"}, outcome,
                         "protocol, of the old ones too")
        leaks = findings(outcome.report, self.server.port, "LEAK")
        self.check_equal([leak["rule"] for leak in leaks], ["L1"], outcome, "the finding")

    def test_healthy_pool(self):
        outcome, _, _ = self.observe("pool")
        self.check_equal((findings(outcome.report), outcome.status), ([], 0), outcome, "nothing found")

    def test_transaction_held(self):
        outcome, _, _ = self.observe("held", "--hold-after", "1s")
        (held,) = findings(outcome.report)
        self.check_equal((held["verdict"], held["connections"], held["members"][0]["transaction"]),
                         ("HELD", 1, "open"), outcome, "the one that was left, not the committed or failed one")

    def test_replies_of_every_shape_end(self):
        outcome, truth, group = self.observe("replies")
        self.check_equal(findings(outcome.report), [], outcome, "nothing found")
        reasons = {line["reason"]: line["connections"] for line in group["not_flagged"]}
        self.check(not any("in use" in reason or "turn" in reason or "logging in" in reason for reason in reasons),
                   outcome, f"the client's turn after each: {reasons}")
        self.check_equal(sum(reasons.values()), truth["opened"], outcome, "each connection is told of")
