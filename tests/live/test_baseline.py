# SPDX-License-Identifier: Apache-2.0
"""--baseline: what an earlier report has fails nothing, what is new fails, what is gone is said to be gone."""
import json
import os
import tempfile

from case import LiveCase
from connleak import connleak, culprit_line, findings, run_under, subject

FAST = ("--idle-after", "300ms")


class Baselines(LiveCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="connleak-test-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "baseline.json")

    def run_against(self, command):
        return run_under(command, *FAST, "--baseline", self.path, environment=self.environment())

    def test_known_then_new_then_gone(self):
        first = run_under([subject("c-libpq-leak")], *FAST, environment=self.environment())
        self.check_equal(first.status, 23, first, "status without a baseline")
        self.check_equal(first.report["baseline"], None, first, "baseline where none was given")
        (leak,) = findings(first.report)
        self.check(leak["stack_id"] and not leak["known"], first, "a stack id, and not known")
        with open(self.path, "w", encoding="utf-8") as file:
            json.dump(first.report, file)

        again = self.run_against([subject("c-libpq-leak")])
        (known,) = findings(again.report)
        self.check_equal(known["stack_id"], leak["stack_id"], again, "the same stack id in another run")
        self.check_equal((again.status, known["verdict"], known["known"]), (0, "LEAK", True), again, "known")
        self.check_equal(again.report["baseline"], {"known": known["connections"], "gone": []}, again, "baseline")
        self.check_equal(again.report["summary"]["leak"], known["connections"], again, "summary.leak counts it")

        other = self.run_against([subject("go-rows-leak")])
        self.check_equal(other.status, 23, other, "status of a new leak")
        self.check_equal([f["known"] for f in findings(other.report)], [False], other, "not known")

        corrected = self.run_against([subject("c-libpq-leak"), "--fixed"])
        self.check_equal(corrected.status, 0, corrected, "status")
        (gone,) = corrected.report["baseline"]["gone"]
        self.check_equal((gone["verdict"], gone["rule"], gone["stack_id"], gone["culprit"]["function"],
                          gone["culprit"]["line"]),
                         ("LEAK", "L1", leak["stack_id"], "lookup", culprit_line("c-libpq-leak.c")), corrected, "gone")

    def test_what_is_no_baseline_is_refused(self):
        for text in ("", "{}", '{"schema": "connleak.report/1", "processes": [1]}'):
            with self.subTest(text=text):
                with open(self.path, "w", encoding="utf-8") as file:
                    file.write(text)
                self.one_line_error(connleak("report", "--baseline", self.path), 2)
        os.unlink(self.path)
        self.one_line_error(connleak("run", "--baseline", self.path, "--", "/bin/true"), 2)
