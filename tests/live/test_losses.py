# SPDX-License-Identifier: Apache-2.0
"""One rule each: a program that loses connections in one way, and the same program corrected."""
from case import LiveCase, server
from connleak import findings, groups, run_under, subject


class Losses(LiveCase):
    def observe(self, kind, *options):
        return run_under([subject("c-losses"), kind, *options], "--idle-after", "300ms", "--hold-after", "500ms",
                         environment=self.environment())

    def lost(self, kind, verdict, rule, name):
        outcome = self.observe(kind)
        truth = self.truth(outcome)
        found = findings(outcome.report, server().port)
        self.check_equal([(f["verdict"], f["rule"], f["name"], f["connections"]) for f in found],
                         [(verdict, rule, name, truth["leaked"])], outcome, "the finding, to the unit")
        (_, group), = groups(outcome.report, server().port)
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened")
        self.check_equal(outcome.status, 23 if verdict == "LEAK" else 0, outcome, "status")

        corrected = self.observe(kind, "--fixed")
        self.truth(corrected)
        self.check_equal((findings(corrected.report), corrected.status), ([], 0), corrected, "corrected: nothing")
        return found[0], outcome

    def test_failed_transaction(self):
        finding, outcome = self.lost("failed", "LEAK", "L3", "open-transaction")
        self.check_equal({m["transaction"] for m in finding["members"]}, {"failed"}, outcome, "transaction")

    def test_transaction_begun_and_left(self):
        finding, outcome = self.lost("begun", "LEAK", "L3", "open-transaction")
        self.check_equal({m["transaction"] for m in finding["members"]}, {"open"}, outcome, "transaction")

    def test_abandoned_result(self):
        self.lost("abandon", "LEAK", "L4", "abandoned-result")

    def test_dead_owner(self):
        self.lost("orphan", "LEAK", "L5", "dead-owner")

    def test_never_used(self):
        finding, outcome = self.lost("unused", "SUSPECT", "L10", "never-used")
        self.check_equal(finding["stack_kind"], "open", outcome, "stack kind")
        self.check_equal(finding["culprit"]["function"], "open_one", outcome, "the frame that opened")
