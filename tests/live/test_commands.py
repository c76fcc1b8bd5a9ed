# SPDX-License-Identifier: Apache-2.0
"""The command line's promises: refusals in one sentence with the right status, help, the thin commands."""
import json
import os
import pty
import shutil
import stat
import subprocess
import tempfile
import time

from case import LiveCase, server
from connleak import BINARY, Actor, Running, connleak

COMMANDS = ("top", "report", "run", "export", "explain", "record", "doctor")
NOBODY = 65534


def free_pid():
    """A process id that was just given back."""
    process = subprocess.Popen(["/bin/true"])
    process.wait()
    return process.pid


class Refusals(LiveCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="connleak-test-")
        self.addCleanup(self.directory.cleanup)

    def path(self, name, content=None):
        path = os.path.join(self.directory.name, name)
        if content is not None:
            with open(path, "wb") as file:
                file.write(content)
        return path

    def refused(self, status, *arguments, names=(), **options):
        outcome = connleak(*arguments, timeout=30, **options)
        self.one_line_error(outcome, status)
        for name in names:
            self.check(name in outcome.stderr, outcome, f"the error does not name {name}")
        return outcome

    def test_usage(self):
        cases = {
            "no command": ([], ()),
            "unknown command": (["lint"], ("lint",)),
            "unknown option": (["report", "--colour", "red"], ("--colour",)),
            "bad duration": (["report", "--duration", "soon"], ("--duration",)),
            "bad format": (["report", "--format", "xml"], ("xml",)),
            "bad pid": (["report", "--pid", "one"], ("--pid",)),
            "run without a command": (["run"], ()),
            "record without a file": (["record", "--duration", "1s"], ("--output",)),
            "report into a folder that is not there": (["report", "--output", "/nonexistent/f"], ("/nonexistent/f",)),
            "configuration that is not there": (["report", "--config", "/nonexistent/c"], ("/nonexistent/c",)),
        }
        for name, (arguments, named) in cases.items():
            with self.subTest(name):
                self.refused(2, *arguments, names=named)

    def test_unknown_key_in_the_configuration(self):
        path = self.path("connleak.toml", b'idle-afer = "1s"\n')
        self.refused(2, "report", "--config", path, names=(path, "idle-afer"))

    def test_pid_of_nothing(self):
        pid = free_pid()
        output = self.path("report.json")
        self.refused(2, "report", "--pid", str(pid), "--output", output, names=(str(pid),))
        self.assertFalse(os.path.exists(output), "nothing half written")
        self.refused(2, "explain", str(pid), names=(str(pid),))

    def test_unreadable_recordings(self):
        cases = {
            "missing": "/nonexistent/recording",
            "a folder": self.directory.name,
            "empty": self.path("empty", b""),
            "something else": self.path("garbage", os.urandom(4096)),
            "text": self.path("text", b"CONNLEAKED\n" * 100),
        }
        for name, path in cases.items():
            with self.subTest(name):
                output = self.path("report.json", b"before")
                self.refused(2, "report", "--from", path, "--output", output, names=(path,))
                with open(output, "rb") as file:
                    self.assertEqual(file.read(), b"before", "an older report stays as it was")

    def test_without_root(self):
        """The binary alone, copied where everybody may read it."""
        os.chmod(self.directory.name, 0o755)
        binary = shutil.copy(BINARY, self.path("connleak"))
        os.chmod(binary, 0o755)
        for command in (["report", "--duration", "1s"], ["run", "--", "/bin/true"], ["record", "--output", "-"]):
            with self.subTest(command[0]):
                done = subprocess.run([binary, *command], user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                                      timeout=30)
                self.assertEqual(done.returncode, 3, done)
                self.assertEqual(done.stdout, "", done)
                self.assertLessEqual(len(done.stderr.strip().splitlines()), 2, done)
                self.assertIn("doctor", done.stderr, "the next step is named")

    def test_without_kernel_types(self):
        """A kernel without BTF, as a mount namespace of its own shows it."""
        hide = 'mount -t tmpfs none /sys/kernel/btf && exec "$0" "$@"'
        done = subprocess.run(["unshare", "--mount", "/bin/sh", "-c", hide, BINARY, "report", "--duration", "1s"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
        self.assertEqual(done.returncode, 3, done)
        self.assertEqual(done.stdout, "", done)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done)
        self.assertIn("BTF", done.stderr)
        self.assertIn("doctor", done.stderr, "the next step is named")

    def test_recording_to_a_terminal(self):
        master, terminal = pty.openpty()
        try:
            done = subprocess.run([BINARY, "record", "--output", "-", "--duration", "1s"], stdin=subprocess.DEVNULL,
                                  stdout=terminal, stderr=subprocess.PIPE, text=True, check=False, timeout=30)
        finally:
            os.close(terminal)
            os.close(master)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("--output", done.stderr, "it says what to do instead")


class Help(LiveCase):
    def test_help_and_version(self):
        for arguments in (["--help"], *([command, "--help"] for command in COMMANDS)):
            with self.subTest(" ".join(arguments)):
                outcome = connleak(*arguments)
                self.check_equal((outcome.status, outcome.stderr), (0, ""), outcome, "status, standard error")
                wide = [line for line in outcome.stdout.splitlines() if len(line) > 80]
                self.check_equal(wide, [], outcome, "lines over 80 columns")
                self.check("--ring-bytes" not in outcome.stdout, outcome, "hidden options stay hidden")
        outcome = connleak("--version")
        self.assertRegex(outcome.stdout, r"\Aconnleak \d+\.\d+\.\d+\n\Z")


class ThinCommands(LiveCase):
    def test_doctor(self):
        outcome = connleak("doctor")
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check("inet_sock_set_state" in outcome.stdout, outcome, "the hooks are named")

    def test_export(self):
        with tempfile.TemporaryDirectory(prefix="connleak-test-") as directory, Actor(self.environment()) as actor:
            lines, metrics = os.path.join(directory, "out.jsonl"), os.path.join(directory, "connleak.prom")
            running = Running(["export", "--pid", str(actor.pid), "--interval", "1s", "--duration", "8s",
                               "--output", lines, "--textfile", metrics])
            running.attached()
            actor.do("open 4")
            actor.do("query all")
            outcome = running.finish(timeout=30)
            self.check_equal(outcome.status, 0, outcome, "status")
            with open(lines, encoding="utf-8") as file:
                summaries = [json.loads(line) for line in file]
            self.check(len(summaries) >= 3, outcome, f"{len(summaries)} summaries in 5 s")
            with open(metrics, encoding="utf-8") as file:
                text = file.read()
            self.assertEqual(sorted(os.listdir(directory)), ["connleak.prom", "out.jsonl"])
            self.assertTrue(os.stat(metrics).st_mode & stat.S_IRGRP, "a scraper may read it")
        samples = [line for line in text.splitlines() if line.startswith("connleak_connections{")]
        mine = [line for line in samples if 'comm="c-actor"' in line and f":{server().port}" in line]
        self.assertEqual(sum(float(line.rsplit(" ", 1)[1]) for line in mine), 4, "\n".join(samples))
        for word in ("# HELP connleak_connections ", "# TYPE connleak_connections gauge", "connleak_build_info{"):
            self.assertIn(word, text)

    def test_explain(self):
        with Actor(self.environment()) as actor:
            running = Running(["explain", str(actor.pid), "--duration", "14s", "--idle-after", "300ms"])
            running.attached()
            actor.do("open 1")
            actor.do("leak 30 100")
            actor.do("serve 4000")
            outcome = running.finish(timeout=30)
        self.check_equal(outcome.status, 0, outcome, "status")
        for word in ("L1", "L7", "lose_one"):
            self.check(word in outcome.stdout, outcome, f"explain lacks {word}")

    def test_top_off_a_terminal(self):
        with Actor(self.environment()) as actor:
            running = Running(["top", "--pid", str(actor.pid), "--duration", "6s"])
            running.attached()
            actor.do("open 4")
            actor.do("query all")
            outcome = running.finish(timeout=30)
        self.check_equal(outcome.status, 0, outcome, "status")
        self.check("c-actor" in outcome.stdout, outcome, "the process is a row")
