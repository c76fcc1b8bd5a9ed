# SPDX-License-Identifier: Apache-2.0
"""Leaks are found and named, corrected programs are not; the truth is what the subject prints."""
import signal
import time

from case import LiveCase, server
from connleak import Running, connleak, culprit_line, findings, groups, run_under, subject

FAST = ("--idle-after", "300ms")


class Leaks(LiveCase):
    def leak(self, command, source, function, language):
        outcome = run_under(command, *FAST, environment=self.environment())
        truth = self.truth(outcome)
        self.assertGreaterEqual(truth["leaked"], 30, "the subject leaks enough")
        self.check_equal(outcome.status, 23, outcome, "status")
        report = outcome.report
        leaks = findings(report, server().port, "LEAK")
        self.check_equal(len(leaks), 1, outcome, "findings")
        self.check_equal(len(findings(report)), 1, outcome, "findings of any kind")
        leak = leaks[0]
        self.check_equal((leak["rule"], leak["name"], leak["confidence"]), ("L1", "never-closed", "high"), outcome,
                         "rule")
        self.check_equal(leak["connections"], truth["leaked"], outcome, "connections, to the unit")
        self.check_equal(len(leak["members"]), truth["leaked"], outcome, "members")
        self.check_equal(report["summary"]["leak"], truth["leaked"], outcome, "summary.leak counts connections")
        self.check_equal(leak["stack_kind"], "last_use", outcome, "stack kind")
        culprit = leak["culprit"]
        self.check(culprit, outcome, "no culprit")
        self.check_equal(culprit["function"], function, outcome, "culprit's function")
        self.check(culprit["file"] and culprit["file"].endswith(source), outcome, "culprit's file")
        self.check_equal(culprit["line"], culprit_line(source), outcome, "culprit's line")
        self.check_equal(culprit["language"], language, outcome, "culprit's language")
        self.check(any(letter.isdigit() for letter in " ".join(leak["why"])), outcome, "why has its numbers")
        self.check(leak["complete"] and report["loss"]["complete"], outcome, "nothing was lost")
        self.check_equal(report["window"]["attached_late"], False, outcome, "attached_late under run")
        (process, group), = groups(report, server().port)
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened_total")
        self.check_equal((group["protocol"], group["user"], group["database"]),
                         ("postgresql", "postgres", "postgres"), outcome, "protocol, user, database")
        self.check_equal(process["alive"], False, outcome, "alive")
        # Within 2: the median slope against the mean, over a run of seconds on a shared machine.
        idle = [member["idle_s"] for member in leak["members"]]
        rate = truth["leaked"] * 3600 / (max(idle) - min(idle))
        self.check(rate / 2 < group["growth_per_hour"] < rate * 2, outcome,
                   f"growth of {group['growth_per_hour']} an hour beside a mean of {rate:.0f}")

    def clean(self, command):
        outcome = run_under(command, *FAST, environment=self.environment())
        truth = self.truth(outcome)
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        (_, group), = groups(outcome.report, server().port)
        self.check_equal(group["opened_total"], truth["opened"], outcome, "opened_total")

    def test_go_rows_not_closed(self):
        self.leak([subject("go-rows-leak")], "go/rows-leak/main.go", "main.findOrder", "go")

    def test_go_rows_not_closed_stripped(self):
        self.leak([subject("go-rows-leak-stripped")], "go/rows-leak/main.go", "main.findOrder", "go")

    def test_go_rows_closed(self):
        self.clean([subject("go-rows-leak"), "-fixed"])

    def test_go_rows_closed_stripped(self):
        self.clean([subject("go-rows-leak-stripped"), "-fixed"])

    def test_c_finish_skipped(self):
        self.leak([subject("c-libpq-leak")], "c-libpq-leak.c", "lookup", "native")

    def test_c_finished(self):
        self.clean([subject("c-libpq-leak"), "--fixed"])

    def test_text_report_names_the_culprit(self):
        outcome = connleak("run", *FAST, "--", subject("go-rows-leak"), env=self.environment())
        self.check_equal(outcome.status, 23, outcome, "status")
        where = f"main.go:{culprit_line('go/rows-leak/main.go')}"
        for part in ("LEAK", "L1", "main.findOrder", where):
            self.check(part in outcome.stderr, outcome, f"the report on standard error lacks {part}")
        self.check("\x1b" not in outcome.stderr, outcome, "no colour off a terminal")
        self.check_equal(len(outcome.stdout.splitlines()), 1, outcome, "standard output belongs to the command")


class Status(LiveCase):
    """The exit status of run."""

    def test_status_of_the_command(self):
        outcome = connleak("run", "--", "/bin/sh", "-c", "exit 7")
        self.check_equal(outcome.status, 7, outcome, "status")

    def test_signal_of_the_command(self):
        outcome = connleak("run", "--", "/bin/sh", "-c", "kill -KILL $$")
        self.check_equal(outcome.status, 128 + 9, outcome, "status")

    def test_command_that_is_not_there(self):
        outcome = connleak("run", "--", "/nonexistent/program")
        self.check(outcome.status in (2, 127), outcome, "a command that cannot be started is a failure")
        self.check("/nonexistent/program" in outcome.stderr, outcome, "an error says what it happened to")

    def test_leak_exit_code(self):
        outcome = run_under([subject("c-libpq-leak")], *FAST, "--leak-exit-code", "42",
                            environment=self.environment())
        self.check_equal(outcome.status, 42, outcome, "status")

    def test_fail_on_never(self):
        outcome = run_under([subject("c-libpq-leak")], *FAST, "--fail-on", "never", environment=self.environment())
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check(findings(outcome.report, verdict="LEAK"), outcome, "the finding is still reported")

    def test_fail_on_open(self):
        command = [subject("c-libpq-pool"), "minimum", "2", "1"]
        outcome = run_under(command, *FAST, "--fail-on", "open", environment=self.environment())
        self.check_equal(outcome.status, 23, outcome, "status with connections left open")

    def test_signals_are_forwarded(self):
        script = "trap 'exit 5' TERM; while :; do sleep 0.1; done"
        running = Running(["run", "--", "/bin/sh", "-c", script])
        time.sleep(4)
        outcome = running.stop(signal.SIGTERM)
        self.check_equal(outcome.status, 5, outcome, "status")
