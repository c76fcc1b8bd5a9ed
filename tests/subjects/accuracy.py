#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the catalogue of subjects under the observer and compares what it says with what their heads say.

accuracy.py [--setting NAME]... [--jobs N] [--results FILE] [WORD...]
Subjects whose name contains a word, else all; settings clear, tls, late, bursts, else these four; drops loses one record
in a thousand on purpose, late-tls is both, unix goes over the unix sockets of PostgreSQL. One row for each run, then a
confusion matrix; status 1 when one of them was judged wrongly or could not run. --with takes in what needs something that
the product does not have yet (see HAVE).
"""
import argparse
import collections
import concurrent.futures
import datetime
import glob
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../support"))
from connleak import SUBJECTS, Running, digest, load_report  # noqa: E402
from mariadb import MariaDb  # noqa: E402
from postgres import Postgres  # noqa: E402
from redis_server import Redis  # noqa: E402

SETTINGS = ("clear", "tls", "late", "bursts")
# Asked for by name only: one record in a thousand is dropped on purpose; no healthy one may be LEAK for that.
DROPS = "drops"
# Likewise: attached late to connections that are encrypted.
LATE_TLS = "late-tls"
# Over the unix sockets of PostgreSQL.
UNIX = "unix"
EXTRA = (DROPS, LATE_TLS, UNIX)
# By which the rules may still see more than is open; the subjects of the tree run so in every setting.
# The subjects have a query helper of their own, as code bases do.
OPTIONS = ("--idle-after", "300ms", "--hold-after", "1s", "--helper", "function:subject_*")
RULES = [f"L{number}" for number in range(1, 13)]
CULPRIT = ("// CULPRIT", "/* CULPRIT */", "# CULPRIT")
# The line to blame where the finding shows an acquire stack, if it is another one.
ACQUIRED = ("// ACQUIRED", "/* ACQUIRED */", "# ACQUIRED")
# What subjects may need and the product has; a run that needs something else is left out, with that as its reason.
#   probes   uprobes in drivers and pools: leases, handles, pools' own numbers
#   starved  leaked slots told from a pool that is too small by the socket alone, while some members go on
HAVE = {"probes"}
NEEDS = ("probes", "starved")
# Whose functions have names only with options that production does not set.
UNPROMISED = ("node", "java")
SECONDS, LATE_SECONDS, ATTACH_AFTER = 12, 18, 4
JARS = ["/usr/share/java/HikariCP.jar", "/usr/share/java/postgresql.jar", "/usr/share/java/slf4j-api.jar",
        "/usr/share/java/slf4j-nop.jar"]


class Subject:
    """One program of the catalogue with one of its arguments, and what its head says of that."""

    # Language: where its files lie, the command that runs one, and the program that must be there for it.
    LANGUAGES = {
        "c": ("c/*.c", lambda s: [f"{SUBJECTS}/c/{s.stem}"], "gcc"),
        "go": ("go/*/main.go", lambda s: [f"{SUBJECTS}/go/{s.stem}"], "go"),
        "python": ("python/*.py", lambda s: ["/usr/bin/python3", s.path], "python3"),
        "node": ("node/*.js", lambda s: ["node", f"{SUBJECTS}/node/{s.stem}.js"], "node"),
        "java": ("java/*.java", lambda s: ["java", "-Xmx128m", "-cp", ":".join([f"{SUBJECTS}/java", *JARS]), s.stem],
                 "java"),
        "php": ("php/*.php", lambda s: ["php", s.path], "php"),
        "ruby": ("ruby/*.rb", lambda s: ["ruby", s.path], "ruby"),
        "rust": ("rust/src/bin/*.rs", lambda s: [f"{SUBJECTS}/rust/{s.stem}"], "cargo"),
    }

    def __init__(self, language, path, argument=None):
        self.language, self.path, self.argument = language, path, argument
        file = os.path.dirname(path) if language == "go" else path
        self.stem = os.path.basename(file).split(".")[0]
        self.name = f"{language}/{self.stem}" + (f":{argument}" if argument else "")
        with open(path, encoding="utf-8") as source:
            head = source.read(1500)
            lines = (head + source.read()).splitlines()
        # The line of the culprit, where the language promises one.
        self.line = next((number for number, line in enumerate(lines, 1) if line.endswith(CULPRIT)), None)
        self.acquired = next((number for number, line in enumerate(lines, 1) if line.endswith(ACQUIRED)), self.line)
        self.head = collections.defaultdict(list)
        for key, value in re.findall(r"^(?:#|//| \*) ([a-z ]+): (.*?)(?: \*/)?$", head, re.MULTILINE):
            self.head[key].append(value.strip())

    def runs(self):
        """One subject for each argument that its head names; none where there is no head."""
        if self.head["runs"]:
            return [Subject(self.language, self.path, argument) for argument in self.head["runs"][0].split()]
        return [self] if self.head["does"] else []

    def said(self, key):
        """The values of a key: those for this argument ("culprit of rows"), else those for all; an argument with an
        expectation of its own ("expect of fixed") takes nothing from the others' verdict."""
        own = self.head[f"{key} of {self.argument}"]
        if own or (self.head[f"expect of {self.argument}"] and key not in ("server", "not under")):
            return own
        return self.head[key]

    def expected(self, setting):
        """The outcomes that are right: "LEAK L1", "SUSPECT L10", "HELD", "STALE", "none"."""
        if setting == DROPS and not self.leaky():
            return ["none", "HELD", "STALE", *(f"SUSPECT {rule}" for rule in RULES)]
        return self.said(f"under {'tls' if setting == LATE_TLS else setting}") or self.said("expect") + self.said("or")

    def left_out(self, setting):
        """Why this setting is not for it, or None."""
        if setting == UNIX and (self.said("server") != ["postgresql"] or self.language == "java"):
            return "another server, or a driver without unix sockets"
        for text in self.said("not under"):
            if text.split()[0] in (setting, *setting.split("-")):
                return text.partition(" ")[2].strip("()")
        for need in self.said("needs") + [n for part in setting.split("-") for n in self.said(f"needs under {part}")]:
            if need not in HAVE:
                return f"needs {need}"
        return None

    def leaky(self):
        return self.said("expect")[0].startswith(("LEAK", "SUSPECT"))

    def missing(self):
        """The toolchain that is not there, or None."""
        program = self.LANGUAGES[self.language][2]
        built = self.command()[0]
        if not shutil.which(program):
            return f"no {program}"
        for wheel in self.head["wheel"]:
            if not os.path.isdir(f"{SUBJECTS}/python/{wheel}"):
                return f"no wheel of {wheel}"
        if os.path.isabs(built) and not os.path.exists(built):
            return f"not built: {os.path.relpath(built, SUBJECTS)}"
        return None

    def culprit(self):
        """Function, and where a line is promised its file and line: "lookup (libpq-error-path.c:20)"."""
        function = self.said("culprit")[0]
        return f"{function} ({os.path.basename(self.path)}:{self.line})" if self.line else function

    def named(self, finding):
        """The finding's culprit as culprit() puts it; None where there is none."""
        culprit = finding["culprit"]
        if not culprit or not self.line:
            return culprit and culprit["function"]
        line = culprit["line"] or "?"
        if finding["stack_kind"] == "acquire" and line == self.acquired:
            line = self.line
        return f"{culprit['function']} ({os.path.basename(culprit['file'] or '?')}:{line})"

    def command(self):
        return self.LANGUAGES[self.language][1](self) + ([self.argument] if self.argument else [])


def catalogue(words=()):
    found = []
    for language, (pattern, _, _) in Subject.LANGUAGES.items():
        for path in sorted(glob.glob(os.path.join(HERE, pattern))):
            found += Subject(language, path).runs()
    return [subject for subject in found if not words or any(word in subject.name for word in words)]


class Servers:
    """A private server of each kind, with and without TLS on it."""

    def __init__(self):
        self.all = {"postgresql": Postgres(max_connections=500, tls=True),
                    "mariadb": MariaDb(max_connections=500, tls=True), "redis": Redis(tls=True)}

    def __enter__(self):
        started = []
        try:
            for server in self.all.values():
                server.__enter__()
                started.append(server)
            for number in range(12):
                self.all["postgresql"].sql(f"CREATE ROLE tenant{number} LOGIN")
        except BaseException:
            for server in started:
                server.stop()
            raise
        return self

    def __exit__(self, *_):
        for server in self.all.values():
            server.stop()

    def environment(self, setting):
        tls = setting in ("tls", LATE_TLS)
        redis = self.all["redis"]
        environment = self.all["postgresql"].environment()
        environment.update(PGSSLMODE="require" if tls else "disable", PYTHONDONTWRITEBYTECODE="1",
                           SUBJECT_CLIENTS=os.path.join(HERE, "python/clients.py"),
                           SUBJECT_SECONDS=str(LATE_SECONDS if setting in ("late", LATE_TLS) else SECONDS),
                           MYSQL_HOST="127.0.0.1", MYSQL_PORT=str(self.all["mariadb"].port),
                           REDIS_HOST=redis.host,
                           REDIS_PORT=str(redis.tls_port if tls else redis.port))
        if tls:
            environment.update(MYSQL_TLS="1", REDIS_TLS="1")
        if setting == UNIX:
            environment["PGHOST"] = self.all["postgresql"].directory
        if setting == "bursts":
            environment["SUBJECT_BURSTS"] = "1"
        return environment


class Row:
    """What one run showed."""

    def __init__(self, subject, setting):
        self.subject, self.setting = subject, setting
        self.got, self.culprit, self.flag_s, self.connections, self.leaked = "-", None, None, 0, None
        self.note, self.report = "", None

    def right(self):
        return self.got in self.subject.expected(self.setting)

    def wants_culprit(self):
        return self.subject.leaky() and self.subject.said("culprit") not in ([], ["-"])

    def culprit_right(self):
        return self.culprit == self.subject.culprit()


def summarise(row, report):
    """The gravest of the findings decides, as the exit status does."""
    found = [finding for process in report["processes"] for group in process["groups"] for finding in group["findings"]]
    order = ("LEAK", "SUSPECT", "HELD", "STALE")
    found.sort(key=lambda finding: (order.index(finding["verdict"]), -finding["connections"]))
    row.report = report
    row.got = "none"
    if not found:
        return
    finding = found[0]
    row.got = " ".join(filter(None, (finding["verdict"], finding["rule"])))
    row.connections = finding["connections"]
    row.culprit = row.subject.named(finding)
    opened = [member["opened_at"] for member in finding["members"] if member["opened_at"]]
    if finding.get("flagged_at") and opened:
        row.flag_s = (stamp(finding["flagged_at"]) - min(map(stamp, opened))).total_seconds()


def stamp(text):
    return datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", text).replace("Z", "+00:00"))


def run(subject, setting, servers):
    row = Row(subject, setting)
    try:
        observe(row, servers)
    except Exception as error:  # one run that breaks is one row, not the end of the others
        row.got, row.note = "failed", f"{type(error).__name__}: {error}"[-400:]
    return row


def observe(row, servers):
    subject, setting = row.subject, row.setting
    left_out = subject.left_out(setting)
    missing = subject.missing()
    if left_out or missing:
        row.got, row.note = ("left out" if left_out else "not run"), left_out or missing
        return
    environment = servers.environment(setting)
    with tempfile.TemporaryDirectory(prefix="connleak-accuracy-") as directory:
        path = os.path.join(directory, "report.json")
        output = ["--format", "json", "--output", path]
        if setting in ("late", LATE_TLS):
            with subprocess.Popen(subject.command(), env=environment, stdin=subprocess.DEVNULL, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
                time.sleep(ATTACH_AFTER)
                command = ["report", *OPTIONS, "--duration", "60s", "--pid", str(program.pid), *output]
                outcome = Running(command).finish()
                stdout, stderr = program.communicate(timeout=60)
        else:
            drops = ["--drop-one-in", "1000"] if setting == DROPS else []
            outcome = Running(["run", *OPTIONS, *drops, *output, "--", *subject.command()], env=environment).finish()
            stdout, stderr = outcome.stdout, outcome.stderr
        try:
            row.leaked = json.loads(stdout.strip().splitlines()[-1])["leaked"]
            summarise(row, load_report(path)[0])
        except (IndexError, ValueError, OSError) as error:
            row.got, row.note = "failed", f"{error}: {(stderr or outcome.stderr).strip()[-300:]}"


def table(rows):
    yield "| subject | setting | expected | got | connections | leaked | culprit | flagged after |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        culprit = row.culprit or ""
        if row.wants_culprit() and not row.culprit_right():
            culprit = f"{culprit or 'unknown'} (is {row.subject.culprit()})"
        mark = "" if row.right() or row.got == "left out" else " **wrong**"
        flag = "" if row.flag_s is None else f"{row.flag_s:.1f} s"
        expected = " or ".join(row.subject.expected(row.setting))
        note = f" ({row.note})" if row.note else ""
        yield (f"| {row.subject.name} | {row.setting} | {expected} | {row.got}{mark}{note} | {row.connections or ''} | "
               f"{row.leaked or ''} | {culprit} | {flag} |")


def matrix(rows):
    counts = collections.Counter(("leaky" if row.subject.leaky() else "healthy", row.setting, row.got.split()[0])
                                 for row in rows)
    verdicts = ("LEAK", "SUSPECT", "HELD", "STALE", "none")
    yield "| subjects | setting | " + " | ".join(verdicts) + " |"
    yield "|---" * (len(verdicts) + 2) + "|"
    for kind in ("leaky", "healthy"):
        for setting in (*SETTINGS, *EXTRA):
            if any(row.setting == setting for row in rows):
                yield f"| {kind} | {setting} | " + " | ".join(str(counts[kind, setting, v]) for v in verdicts) + " |"


def summary(rows):
    judged = [row for row in rows if row.got not in ("left out", "not run", "failed")]
    wrong = [row for row in judged if not row.right()]
    false = [row for row in wrong if not row.subject.leaky() and row.got.startswith(("LEAK", "SUSPECT"))]
    broken = [row for row in rows if row.got in ("not run", "failed")]
    flags = [row.flag_s for row in judged if row.flag_s is not None and row.subject.leaky() and row.right()]
    named = [row for row in judged if row.wants_culprit()]
    yield (f"{len(judged)} runs judged: {len(judged) - len(wrong)} as expected, {len(wrong)} not, of them "
           f"{len(false)} healthy ones flagged; {len(broken)} could not run.")
    if flags:
        yield f"Time to flag: median {statistics.median(flags):.1f} s, longest {max(flags):.1f} s."
    if named:
        promised = [row for row in named if row.subject.language not in UNPROMISED]
        others = [row for row in named if row.subject.language in UNPROMISED]
        yield (f"Culprit named: {sum(row.culprit_right() for row in promised)} of {len(promised)}; of {len(others)} in "
               f"{' and '.join(UNPROMISED)} as they are started here: {sum(row.culprit_right() for row in others)}.")


def main():
    parser = argparse.ArgumentParser(prog="tools/accuracy", allow_abbrev=False,
                                     description="Judges every subject under every setting.")
    parser.add_argument("--setting", action="append", choices=(*SETTINGS, *EXTRA))
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--with", dest="have", action="append", choices=NEEDS, default=[],
                        help="run what needs this, though the product is not known to have it")
    parser.add_argument("--results", help="write the tables here, too")
    parser.add_argument("words", nargs="*")
    options = parser.parse_args()
    HAVE.update(options.have)
    subjects = catalogue(options.words)
    if not subjects:
        parser.error("no subject has such a name")
    rows = []
    with Servers() as servers, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        runs = [pool.submit(run, subject, setting, servers)
                for setting in options.setting or SETTINGS for subject in subjects]
        for done in concurrent.futures.as_completed(runs):
            row = done.result()
            rows.append(row)
            ok = row.right() or row.got == "left out"
            print(f"{'ok' if ok else 'WRONG'} {row.setting} {row.subject.name}: {row.got} {row.note}", flush=True)
            if not ok and row.report:
                print("\n".join("   | " + line for line in digest(row.report)), flush=True)
    rows.sort(key=lambda row: ((*SETTINGS, *EXTRA).index(row.setting), not row.subject.leaky(), row.subject.name))
    text = "\n".join([*table(rows), "", *matrix(rows), "", *summary(rows)])
    print("\n" + text)
    if options.results:
        with open(options.results, "w", encoding="utf-8") as file:
            kernel = platform.release().split("-")[0]
            file.write(f"# Results\n\n`tools/accuracy`, {datetime.date.today()}, Linux {kernel}, "
                       f"`{' '.join(OPTIONS)}`.\n\n{text}\n")
    return 0 if all(row.right() or row.got == "left out" for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
