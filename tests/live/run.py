#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the live tests: run.py [WORD...] those whose name contains a word, else all. A line for each test:
"ok|FAIL|skip NAME[: reason]", and before a failure what was seen. Status 1 when one failed."""
import os
import signal
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import case  # noqa: E402


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()
        self.bad_parts = []

    def _name(self, test):
        return test.id()

    def _took(self):
        return f"({time.monotonic() - self.began:.1f} s)"

    def addSuccess(self, test):
        if not self.bad_parts:
            print(f"ok {self._name(test)} {self._took()}")

    def addSubTest(self, test, subtest, outcome):
        super().addSubTest(test, subtest, outcome)
        if outcome is not None:
            self._explain(f"{subtest}", outcome)
            if not self.bad_parts:
                print(f"FAIL {self._name(test)}: {str(outcome[1]).splitlines()[0]} {self._took()}")
            self.bad_parts.append(subtest)

    def _explain(self, name, error):
        print(f"   {name}")
        text = str(error[1]) if issubclass(error[0], AssertionError) else self._exc_info_to_string(error, None)
        for line in text.splitlines():
            print(f"   | {line}")

    def _bad(self, test, error):
        name = self._name(test) if hasattr(test, "id") else str(test)
        self._explain(name, error)
        first = (str(error[1]) or error[0].__name__).splitlines()[0]
        if not getattr(self, "bad_parts", None):  # a test whose part failed has its line already
            print(f"FAIL {name}: {first}")

    def _exc_info_to_string(self, error, test):
        import traceback
        return "".join(traceback.format_exception(*error))

    def addFailure(self, test, error):
        self.failures.append((test, ""))
        self._bad(test, error)

    def addError(self, test, error):
        if not hasattr(test, "_testMethodName"):
            self.bad_parts = []  # setUpClass: no test has started
        self.errors.append((test, ""))
        self.began = getattr(self, "began", time.monotonic())
        self._bad(test, error)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"skip {self._name(test)}: {reason}")


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def main(words):
    folder = os.path.dirname(os.path.abspath(__file__))
    tests = flatten(unittest.defaultTestLoader.discover(folder, pattern="test_*.py", top_level_dir=folder))
    chosen = [test for test in tests if not words or any(word in test.id() for word in words)]
    if not chosen:
        print("no live test has such a name", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    result = Result()
    try:
        unittest.TestSuite(chosen).run(result)
    finally:
        case.stop_server()
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
