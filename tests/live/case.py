# SPDX-License-Identifier: Apache-2.0
"""What the live tests share: one private PostgreSQL for all of them, and assertions that show what was seen."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../support"))
from postgres import Postgres  # noqa: E402

_server = None


def server():
    """Started at first use; run.py stops it."""
    global _server
    if _server is None:
        _server = Postgres()
        _server.__enter__()
    return _server


def stop_server():
    global _server
    if _server is not None:
        _server.stop()
        _server = None


class LiveCase(unittest.TestCase):
    maxDiff = None

    def environment(self, **options):
        return server().environment(**options)

    def check(self, condition, outcome, what):
        """assertTrue that shows the whole outcome."""
        if not condition:
            self.fail(f"{what}\n{outcome}")

    def check_equal(self, seen, wanted, outcome, what):
        self.check(seen == wanted, outcome, f"{what}: {seen!r} instead of {wanted!r}")

    def truth(self, outcome):
        """The last line that the subject printed."""
        lines = outcome.stdout.strip().splitlines()
        self.check(lines, outcome, "the subject printed no ground truth")
        return json.loads(lines[-1])

    def one_line_error(self, outcome, status):
        """A refusal: the right status, one or two lines on standard error, nothing on standard output."""
        self.check_equal(outcome.status, status, outcome, "status")
        self.check_equal(outcome.stdout, "", outcome, "standard output")
        lines = outcome.stderr.strip().splitlines()
        self.check(1 <= len(lines) <= 2, outcome, "an error takes one or two lines")
        self.check(not any(word in outcome.stderr for word in ("terminate called", "Sanitizer", "what():")), outcome,
                   "no stack trace")
