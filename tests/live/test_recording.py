# SPDX-License-Identifier: Apache-2.0
"""A recording tells what the live run saw: twice the same bytes, the same findings, on any machine, without root."""
import os
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from case import LiveCase, server
from connleak import BINARY, Actor, Observation, Running, connleak, findings, groups, load_report

FAST = ("--idle-after", "300ms")
NOBODY = 65534


def essence(report, port):
    """What two observers of the same seconds must agree on."""
    return [
        (process["pid"], group["opened_total"], group["closed_total"], group["open"], group["user"],
         sorted((finding["verdict"], finding["rule"], finding["connections"], finding["stack_id"],
                 (finding["culprit"] or {}).get("function"), (finding["culprit"] or {}).get("file"),
                 (finding["culprit"] or {}).get("line"),
                 tuple(sorted(member["cookie"] for member in finding["members"])))
                for finding in group["findings"]))
        for process, group in groups(report, port)
    ]


class Recording(LiveCase):
    @classmethod
    def setUpClass(cls):
        """One recording for all tests of the class, made beside a live report of the same process."""
        cls.directory = tempfile.TemporaryDirectory(prefix="connleak-test-")
        cls.addClassCleanup(cls.directory.cleanup)
        cls.file = os.path.join(cls.directory.name, "recording")
        with Actor(server().environment()) as actor:
            recorder = Running(["record", "--pid", str(actor.pid), "--output", cls.file, "--duration", "60s"])
            recorder.attached()
            with Observation([actor.pid], *FAST, seconds=60) as observation:
                actor.do("open 1")
                actor.do("leak 30 100")
                actor.do("open 5")
                actor.do("close 31")
                actor.do("serve 4000")
                actor.end("exit")  # both observers end with it, having seen the same
                cls.live = observation.finish()
            # record has a duration of its own; what it needs beyond the process's end is not waited for.
            time.sleep(1)
            cls.recorder = recorder.stop(signal.SIGINT) if recorder.process.poll() is None else recorder.finish()

    def replay(self, name, *options, file=None):
        output = os.path.join(self.directory.name, name)
        outcome = connleak("report", "--from", file or self.file, *FAST, "--format", "json", "--output", output,
                           *options)
        if os.path.exists(output):
            outcome.report, outcome.raw = load_report(output)
        return outcome

    def test_recorder_ends_well(self):
        self.check_equal(self.recorder.status, 0, self.recorder, "status")
        self.assertGreater(os.path.getsize(self.file), 0)

    def test_twice_the_same_bytes(self):
        first, second = self.replay("first.json"), self.replay("second.json")
        self.check_equal(first.status, 0, first, "status")
        self.check(first.raw and first.raw == second.raw, first, "two replays differ")

    def test_same_findings_as_live(self):
        replayed = self.replay("same.json")
        self.check_equal(replayed.status, 0, replayed, "status")
        self.check(findings(self.live.report, server().port, "LEAK"), self.live, "the live run saw the leak")
        self.assertEqual(essence(replayed.report, server().port), essence(self.live.report, server().port),
                         f"replayed:\n{replayed}\nlive:\n{self.live}")

    def test_fail_on_and_formats(self):
        outcome = self.replay("status.json", "--fail-on", "leak")
        self.check_equal(outcome.status, 23, outcome, "status")
        for form, word in (("text", "lose_one"), ("csv", "lose_one"), ("html", "<html")):
            with self.subTest(form):
                outcome = connleak("report", "--from", self.file, *FAST, "--format", form)
                self.check_equal((outcome.status, outcome.stderr), (0, ""), outcome, "status, standard error")
                self.check(word in outcome.stdout, outcome, f"{form} lacks {word}")

    def test_without_root(self):
        folder = os.path.join(self.directory.name, "public")
        os.makedirs(folder, exist_ok=True)
        os.chmod(self.directory.name, 0o755)
        for source, name in ((BINARY, "connleak"), (self.file, "recording")):
            os.chmod(shutil.copy(source, os.path.join(folder, name)), 0o755)
        done = subprocess.run([os.path.join(folder, "connleak"), "report", "--from", os.path.join(folder, "recording"),
                               *FAST], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/", text=True,
                              capture_output=True, stdin=subprocess.DEVNULL, check=False, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("lose_one", done.stdout)

    def changed(self, name, change):
        with open(self.file, "rb") as file:
            content = change(file.read())
        path = os.path.join(self.directory.name, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def test_cut_recording(self):
        path = self.changed("cut", lambda content: content[:len(content) * 3 // 4])
        outcome = self.replay("cut.json", file=path)
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check_equal(len(outcome.stderr.strip().splitlines()), 1, outcome, "lines on standard error")
        self.check_equal(outcome.report["loss"]["complete"], False, outcome, "complete")

    def test_damaged_recording(self):
        def damage(content):
            middle = len(content) // 2
            return content[:middle] + bytes(byte ^ 0xFF for byte in content[middle:middle + 64]) + content[middle + 64:]

        outcome = self.replay("damaged.json", file=self.changed("damaged", damage))
        self.check(outcome.status in (0, 2), outcome, "a damaged recording is read up to the damage, or refused")
        if outcome.status == 0:
            self.check_equal(outcome.report["loss"]["complete"], False, outcome, "complete")

    def test_recording_of_another_version(self):
        def newer(content):
            version, = struct.unpack_from("=I", content, 8)
            return content[:8] + struct.pack("=I", version + 1) + content[12:]

        outcome = connleak("report", "--from", self.changed("newer", newer))
        self.one_line_error(outcome, 2)
        self.check("version" in outcome.stderr, outcome, "the version is the reason")

    def test_no_payload_in_it(self):
        with open(self.file, "rb") as file:
            content = file.read()
        for secret in (b"SELECT 1", b"SELECT pg_", b"client_encoding"):
            self.assertNotIn(secret, content, "a recording holds no payload")
