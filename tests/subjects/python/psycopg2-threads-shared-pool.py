# SPDX-License-Identifier: Apache-2.0
# does: a thread for each request over one shared pool, several at a time
# expect: none
# server: postgresql
import threading

import psycopg2.pool

import subject

pool = psycopg2.pool.ThreadedConnectionPool(1, 20, "")


def handle():
    connection = pool.getconn()
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    pool.putconn(connection)


for number in subject.requests():
    threads = [threading.Thread(target=handle) for _ in range(10 if number % 150 == 0 else 1 + number % 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
subject.end()
