# SPDX-License-Identifier: Apache-2.0
# does: load rises step by step, the pool grows with it and keeps what it opened
# expect: none
# server: postgresql
import threading

from psycopg_pool import ConnectionPool

import subject

busy = 1
stopping = threading.Event()


def client(pool):
    while not stopping.is_set():
        with pool.connection() as connection:
            connection.execute("SELECT pg_sleep(0.01)")
        stopping.wait(0.01)


with ConnectionPool("", min_size=1, max_size=12, kwargs={"autocommit": True}) as pool:
    threads = []
    for number in subject.requests():
        if len(threads) < 12 and number % 25 == 0:
            threads.append(threading.Thread(target=client, args=(pool,), daemon=True))
            threads[-1].start()
    stopping.set()
    subject.end()
