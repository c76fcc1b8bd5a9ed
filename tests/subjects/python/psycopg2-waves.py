# SPDX-License-Identifier: Apache-2.0
# does: waves of parallel requests, each wave higher than the last, over a pool that keeps what it opened
# expect: none
# server: postgresql
import threading

import psycopg2.pool

import subject

pool = psycopg2.pool.ThreadedConnectionPool(1, 60, "")
pool.minconn = 60  # keeps all that come back


def handle(together):
    connection = pool.getconn()
    together.wait()
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    pool.putconn(connection)


height = 2
for number in subject.requests():
    size = height if number % 40 == 0 else 1
    height += 3 if number % 40 == 0 and height < 40 else 0
    together = threading.Barrier(size)
    threads = [threading.Thread(target=handle, args=(together,)) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
subject.end()
