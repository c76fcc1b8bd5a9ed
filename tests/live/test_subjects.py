# SPDX-License-Identifier: Apache-2.0
"""A good dozen of the catalogue, over its languages that every machine has, its servers and its settings; tools/accuracy runs
all of it."""
import concurrent.futures
import os
import sys

from case import LiveCase
from connleak import ROOT, digest, findings, run_under

sys.path.insert(0, os.path.join(ROOT, "tests/subjects"))
import accuracy  # noqa: E402

DOZEN = {
    "c/libpq-error-path": "bursts",
    "c/libpq-half-closed": "clear",
    "c/libpq-workers": "tls",
    "c/mariadb-error-path": "tls",
    "c/mariadb-prepared-pool": "clear",
    "c/hiredis-cold-tail": "late",
    "c/hiredis-helper": "late",
    "python/psycopg2-preload": "unix",
    "go/conn-dropped": "tls",
    "go/service-leak": "late",
    "go/sessions": "clear",
    "go/slow-upstream": "bursts",
    "go/starved": "clear",
    "python/psycopg2-threads-shared-pool": "late",
    "python/sqlalchemy-engine-each": "clear",
    "python/psycopg2-exception": "tls",
    "python/psycopg2-background-job": "clear",
    "php/pg-new-each": "clear",
    "ruby/pg-rescue": "clear",
}


class Subjects(LiveCase):
    def test_a_dozen(self):
        subjects = {subject.name: subject for subject in accuracy.catalogue()}
        with accuracy.Servers() as servers, concurrent.futures.ThreadPoolExecutor(3) as pool:
            rows = list(pool.map(lambda name: accuracy.run(subjects[name], DOZEN[name], servers), DOZEN))
        for row in rows:
            with self.subTest(subject=row.subject.name, setting=row.setting):
                seen = "\n".join(digest(row.report)) if row.report else row.note
                self.assertTrue(row.right(), f"{row.got} instead of {row.subject.expected(row.setting)}\n{seen}")
                if row.wants_culprit():
                    self.assertEqual(row.culprit, row.subject.culprit(), seen)

    def test_held_across_a_slow_call_then_retracted(self):
        program = os.path.join(ROOT, "tests/subjects/python/psycopg2-transaction-slow-call.py")
        outcome = run_under(["/usr/bin/python3", program], *accuracy.OPTIONS, environment=self.environment())
        held = self.truth(outcome)["held"]
        self.check(held > 0, outcome, "no transaction was held")
        self.check_equal(findings(outcome.report), [], outcome, "all went on")
        self.check_equal({retraction["rule"]: retraction["connections"] for retraction in outcome.report["retractions"]},
                         {"HELD": held}, outcome, "each was HELD and is counted as retracted")
