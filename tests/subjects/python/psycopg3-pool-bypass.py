# SPDX-License-Identifier: Apache-2.0
# does: a service with a pool; one path opens a connection of its own for each report and keeps it
# expect: LEAK L1
# culprit: report
# server: postgresql
import psycopg
from psycopg_pool import ConnectionPool

import subject

kept = []


def report():
    connection = psycopg.connect("", autocommit=True)
    connection.execute("SELECT 1")  # CULPRIT
    kept.append(connection)


with ConnectionPool("", min_size=2, max_size=6) as pool:
    for number in subject.requests():
        with pool.connection() as connection:
            connection.execute("SELECT 1")
        if number % 12 == 0:
            report()
    subject.end(len(kept))
