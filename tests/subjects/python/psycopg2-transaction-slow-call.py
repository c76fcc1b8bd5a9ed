# SPDX-License-Identifier: Apache-2.0
# does: holds a transaction across a slow call to elsewhere, then commits; three at a time
# expect: HELD
# under tls: none
# or: none
# server: postgresql
import threading
import time

import psycopg2

import subject


def order():
    connection = psycopg2.connect("")
    for _ in range(2):
        connection.cursor().execute("SELECT 1")
        time.sleep(2.5)
        connection.commit()
    connection.close()


threads = []
steady = psycopg2.connect("")
steady.autocommit = True
for number in subject.requests():
    steady.cursor().execute("SELECT 1")
    if number % 100 == 0:
        for _ in range(3):
            threads.append(threading.Thread(target=order, daemon=True))
            threads[-1].start()
for thread in threads:
    thread.join()
subject.end(held=2 * len(threads))
