# SPDX-License-Identifier: Apache-2.0
"""Runs the binary and the subjects, and reads what they say."""
import json
import os
import signal
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("CONNLEAK_BINARY", os.path.join(ROOT, "build/release/bin/connleak"))
SUBJECTS = os.path.join(ROOT, "build/subjects")
SCHEMA = os.path.join(ROOT, "userspace/export/report.schema.json")
LONG = os.environ.get("CONNLEAK_LONG") == "1"


def subject(name):
    return os.path.join(SUBJECTS, name)


def culprit_line(source):
    """The line of a subject's source that is marked CULPRIT."""
    with open(os.path.join(ROOT, "tests/subjects", source), encoding="utf-8") as text:
        lines = [number for number, line in enumerate(text, 1)
                 if line.rstrip().endswith(("// CULPRIT", "/* CULPRIT */"))]
    assert len(lines) == 1, f"{source} has {len(lines)} lines marked CULPRIT"
    return lines[0]


class Outcome:
    """A finished command: status, standard output and error, and the report if it was asked for."""

    def __init__(self, status, stdout, stderr, report=None, raw=None):
        self.status, self.stdout, self.stderr, self.raw = status, stdout, stderr, raw
        self._report = report

    @property
    def report(self):
        """The report; asking for one that was not written is a failure that shows what was."""
        assert self._report is not None, f"no report was written\n{self}"
        return self._report

    @report.setter
    def report(self, report):
        self._report = report

    def __str__(self):
        lines = [f"status {self.status}"]
        if self.stdout:
            lines.append("stdout: " + self.stdout[-2000:])
        if self.stderr:
            lines.append("stderr: " + self.stderr[-2000:])
        if self._report:
            lines += ["report: " + line for line in digest(self._report)]
        return "\n".join(lines)


def digest(report):
    """The report in a few lines, for failure messages."""
    yield f"window {report['window']['seconds']} s, summary {report['summary']}, complete {report['loss']['complete']}"
    for process in report["processes"]:
        for group in process["groups"]:
            yield (f"  {process['pid']} {process['comm']}: {group['protocol']} port {group['endpoint']['port']} "
                   f"open {group['open']} idle {group['idle']} half-closed {group['half_closed']} "
                   f"opened {group['opened_total']} closed {group['closed_total']} failed {group['failed_total']}")
            for finding in group["findings"]:
                culprit = finding["culprit"] or {}
                yield (f"    {finding['verdict']} {finding['rule']} x{finding['connections']} at "
                       f"{culprit.get('function')} {culprit.get('file')}:{culprit.get('line')}; {finding['why']}")
            for other in group["not_flagged"]:
                yield f"    not flagged {other['connections']}: {other['reason']}"


def groups(report, port=None, pid=None):
    """(process, group) of the report, of one remote port (or a unix socket's path) and one process if named."""
    return [(process, group) for process in report["processes"] for group in process["groups"]
            if (port is None or port in (group["endpoint"]["port"], group["endpoint"]["path"])) and (pid is None or process["pid"] == pid)]


def findings(report, port=None, verdict=None):
    return [finding for _, group in groups(report, port) for finding in group["findings"]
            if verdict is None or finding["verdict"] == verdict]


def load_report(path):
    """A report that is valid by the schema of the tree; the raw bytes with it."""
    with open(path, "rb") as file:
        raw = file.read()
    report = json.loads(raw)
    if os.path.exists(SCHEMA):
        import jsonschema
        with open(SCHEMA, encoding="utf-8") as file:
            jsonschema.validate(report, json.load(file))
    return report, raw


class Running:
    """connleak started in the background; finish() waits, stop() interrupts first."""

    def __init__(self, arguments, report_path=None, **options):
        self.report_path = report_path
        self.process = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace", **options)

    def attached(self, timeout=30):
        """Waits until the probes are in place: the links to the kernel that the process holds no longer grow."""
        links, since, end = 0, time.monotonic(), time.monotonic() + timeout
        while time.monotonic() < end and self.process.poll() is None:
            now = self._links()
            if now != links:
                links, since = now, time.monotonic()
            if links >= 8 and time.monotonic() - since > 0.5:
                return
            time.sleep(0.05)

    def _links(self):
        folder = f"/proc/{self.process.pid}/fd"
        count = 0
        for name in os.listdir(folder):
            try:
                count += "bpf_link" in os.readlink(os.path.join(folder, name))
            except OSError:
                pass  # closed in between
        return count

    def finish(self, timeout=120):
        try:
            stdout, stderr = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            stdout, stderr = self.process.communicate()
            raise AssertionError(f"connleak did not end within {timeout} s; stderr: {stderr[-2000:]}") from None
        report = raw = None
        if self.report_path and os.path.exists(self.report_path):
            report, raw = load_report(self.report_path)
        return Outcome(self.process.returncode, stdout, stderr, report, raw)

    def stop(self, number):
        self.process.send_signal(number)
        return self.finish()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


def connleak(*arguments, timeout=120, **options):
    """A command without a report file."""
    return Running(list(arguments), **options).finish(timeout)


def run_under(command, *options, environment=None, timeout=180):
    """connleak run OPTIONS --format json --output FILE -- COMMAND; standard output is the command's."""
    with tempfile.TemporaryDirectory(prefix="connleak-test-") as directory:
        path = os.path.join(directory, "report.json")
        arguments = ["run", *options, "--format", "json", "--output", path, "--", *command]
        return Running(arguments, path, env=environment).finish(timeout)


class Actor:
    """The subject c-actor: do("open 3") waits for its answer."""

    def __init__(self, environment):
        self.process = subprocess.Popen([subject("c-actor")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=environment)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise AssertionError(f"c-actor ended at '{command}'")
        return json.loads(answer)

    def truth(self):
        return self.do("truth")

    def end(self, command):
        """'exit' or 'die': nothing is answered."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.process.wait(timeout=30)


class Observation:
    """connleak report --pid PID in the background; inside the block it is attached.

    With SECONDS it ends by itself after that time; without, finish() gives it a last second and interrupts it, so that
    a slow machine only makes the test longer."""

    def __init__(self, pids, *options, seconds=None):
        self.directory = tempfile.TemporaryDirectory(prefix="connleak-test-")
        self.path = os.path.join(self.directory.name, "report.json")
        self.seconds = seconds
        arguments = ["report", "--duration", f"{seconds or 600}s", "--format", "json", "--output", self.path, *options]
        for pid in pids:
            arguments += ["--pid", str(pid)]
        self.running = Running(arguments, self.path)
        self.running.attached()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.running.kill()
        self.directory.cleanup()

    def finish(self, timeout=120):
        if self.seconds is None:
            time.sleep(1)
            self.running.process.send_signal(signal.SIGINT)
        return self.running.finish(timeout)

    def stop(self, number):
        return self.running.stop(number)
