# SPDX-License-Identifier: Apache-2.0
"""The line that lost it: programs as packages are built, scripts, processes that are gone, and nothing of their memory."""
import os
import subprocess
import tempfile

from case import LiveCase
from connleak import ROOT, Running, connleak, culprit_line, findings, load_report, run_under, subject

FAST = ("--idle-after", "300ms")
SECRET = "correct-horse-battery-staple"
# Gone a second after its start, without closing anything.
SHORT = """
import os, time, psycopg2
kept = []
def grab():
    connection = psycopg2.connect("")
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    kept.append(connection)
for _ in range(40):
    grab()
    time.sleep(0.02)
os._exit(0)
"""


class Stacks(LiveCase):
    def culprit(self, outcome):
        found = findings(outcome.report, verdict="LEAK")
        self.check_equal(len(found), 1, outcome, "findings")
        culprit = found[0]["culprit"] or {}
        return culprit.get("function"), os.path.basename(culprit.get("file") or ""), culprit.get("line")

    def record_secret(self, directory, *options):
        """A recording of c-secret."""
        file = os.path.join(directory, "recording")
        with subprocess.Popen([subject("c-secret")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=dict(self.environment(), SECRET=SECRET)) as program:
            recorder = Running(["record", *FAST, "--pid", str(program.pid), "--output", file, *options])
            recorder.attached()
            program.communicate("go\n", timeout=60)
            outcome = recorder.finish()
        self.check_equal(outcome.status, 0, outcome, "status")
        return file

    def judged(self, directory, file):
        path = os.path.join(directory, "report.json")
        outcome = connleak("report", "--from", file, *FAST, "--format", "json", "--output", path)
        outcome.report, outcome.raw = load_report(path)
        return outcome

    def test_nothing_of_the_stack_is_written(self):
        with tempfile.TemporaryDirectory(prefix="connleak-test-") as directory:
            file = self.record_secret(directory)
            with open(file, "rb") as recording:
                written = recording.read()
            outcome = self.judged(directory, file)
        self.check_equal(self.culprit(outcome), ("spend", "c-secret.c", culprit_line("c-secret.c")), outcome, "culprit")
        self.check(SECRET.encode() not in written, outcome, "the secret is in the recording")
        self.check(SECRET[:12].encode() not in written, outcome, "a part of the secret is in the recording")
        self.check(SECRET.encode() not in outcome.raw, outcome, "the secret is in the report")

    def test_without_memory_for_captures_stacks_are_walked(self):
        with tempfile.TemporaryDirectory(prefix="connleak-test-") as directory:
            outcome = self.judged(directory, self.record_secret(directory, "--capture-bytes", "0"))
        found = findings(outcome.report, verdict="LEAK")
        self.check_equal([finding["rule"] for finding in found], ["L1"], outcome, "findings")
        self.check(found[0]["stack"], outcome, "a walked stack")

    def test_a_script_that_is_gone(self):
        with tempfile.NamedTemporaryFile("w", prefix="connleak-", suffix=".py") as script:
            script.write(SHORT)
            script.flush()
            outcome = run_under(["/usr/bin/python3", script.name], "--idle-after", "100ms", environment=self.environment())
            self.check_equal(self.culprit(outcome), ("grab", os.path.basename(script.name), 7), outcome, "culprit")

    def test_a_helper_is_not_blamed(self):
        program = os.path.join(ROOT, "build/subjects/c/libpq-lost-threads")
        outcome = run_under([program], *FAST, "--helper", "function:subject_*", environment=self.environment())
        line = self.culprit(outcome)
        self.check_equal(line[:2], ("work", "libpq-lost-threads.c"), outcome, "culprit")
