# SPDX-License-Identifier: Apache-2.0
# does: the server drops a pool's cold tail (as a failover does); the pool goes on with its warm member
# expect: STALE
# or: none
# server: postgresql
import psycopg2

import subject


def connect():
    connection = psycopg2.connect("")
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    return connection


pool = [connect() for _ in range(9)]
victims = [connection.info.backend_pid for connection in pool[1:]]
for number in subject.requests():
    pool[0].cursor().execute("SELECT 1")
    if number == 100:
        for pid in victims:
            pool[0].cursor().execute("SELECT pg_terminate_backend(%s)", (pid,))
subject.end()
