# SPDX-License-Identifier: Apache-2.0
"""Goroutines: the ids that Go itself gives them, also where C sends for them."""
import json
import re
import subprocess

from case import LiveCase
from connleak import Running, culprit_line, findings, run_under, subject

FAST = ("--idle-after", "300ms")


class Goroutines(LiveCase):
    def check_ids(self, program, driver):
        """Each member's goroutine is the one that the program says."""
        outcome = run_under([subject(program), driver], *FAST, environment=self.environment())
        said = json.loads(outcome.stdout)
        found = findings(outcome.report, verdict="LEAK")
        self.check_equal([(finding["rule"], finding["stack_kind"]) for finding in found], [("L1", "last_use")], outcome,
                         "findings")
        seen = {member["local"]: member["goroutine"] for member in found[0]["members"]}
        self.check_equal(seen, {local: ids["used"] for local, ids in said.items()}, outcome, "goroutines")
        return outcome, found[0]

    def test_of_a_stripped_program(self):
        self.check_ids("go-goroutines", "pgx")

    def test_of_one_that_is_linked_with_c(self):
        self.check_ids("go-goroutines-cgo", "pgx")

    def test_while_c_sends_for_them(self):
        outcome, found = self.check_ids("go-goroutines-cgo", "libpq")
        culprit = found["culprit"] or {}
        self.check_equal((culprit.get("function"), culprit.get("line")),
                         ("main.libpqConnection.query", culprit_line("go/goroutines/libpq.go")), outcome, "culprit")

    def test_explain_says_both(self):
        with subprocess.Popen([subject("go-goroutines"), "-told", "pgx"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, env=self.environment()) as program:
            explain = Running(["explain", str(program.pid), *FAST, "--duration", "6s"])
            explain.attached()
            program.stdin.write("go\n")
            program.stdin.flush()
            outcome = explain.finish()
            said = json.loads(program.communicate(timeout=60)[0])
        pages = re.split(r"(127\.0\.0\.1:\d+) to ", outcome.stdout)[1:]
        self.check(len(pages) >= 20, outcome, "pages of connections")
        for local, page in zip(pages[::2], pages[1::2]):
            ids = [int(number) for number in re.findall(r"in goroutine\s+(\d+)", page)]
            self.check_equal(ids, [said[local]["opened"], said[local]["used"]], outcome, f"goroutines of {local}")
