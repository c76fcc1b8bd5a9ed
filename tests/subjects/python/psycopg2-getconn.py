# SPDX-License-Identifier: Apache-2.0
# does: getconn() without putconn() on one path of a pool that is large enough
# expect: LEAK L1
# culprit: reserve
# server: postgresql
import psycopg2.pool

import subject

pool = psycopg2.pool.ThreadedConnectionPool(2, 90, "")
leaked = 0


def serve():
    connection = pool.getconn()
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    pool.putconn(connection)


def reserve():
    connection = pool.getconn()
    connection.autocommit = True
    connection.cursor().execute("SELECT 2")  # CULPRIT


for number in subject.requests():
    serve()
    if number % 12 == 0:
        reserve()
        leaked += 1
subject.end(leaked)
