# SPDX-License-Identifier: Apache-2.0
"""A dozen of the catalogue, over its languages that every machine has, its servers and its settings; tools/accuracy runs
all of it."""
import concurrent.futures
import os
import sys

from case import LiveCase
from connleak import ROOT, digest

sys.path.insert(0, os.path.join(ROOT, "tests/subjects"))
import accuracy  # noqa: E402

DOZEN = {
    "c/libpq-error-path": "bursts",
    "c/libpq-half-closed": "clear",
    "c/libpq-workers": "tls",
    "c/mariadb-error-path": "tls",
    "c/mariadb-prepared-pool": "clear",
    "c/hiredis-cold-tail": "late",
    "go/service-leak": "late",
    "go/sessions": "clear",
    "go/slow-upstream": "bursts",
    "go/starved": "clear",
    "python/psycopg2-threads-shared-pool": "late",
    "python/sqlalchemy-engine-each": "clear",
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
