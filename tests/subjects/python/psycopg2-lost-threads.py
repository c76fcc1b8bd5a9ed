# SPDX-License-Identifier: Apache-2.0
# does: request threads keep a connection in a thread-local that outlives them, beside a worker that stays
# expect: LEAK L5
# culprit: handle
# server: postgresql
import threading

import psycopg2

import subject

kept = []
steady = psycopg2.connect("")
steady.autocommit = True


def handle():
    connection = psycopg2.connect("")
    connection.autocommit = True
    kept.append(connection)
    for _ in range(3):
        connection.cursor().execute("SELECT 1")  # CULPRIT


for number in subject.requests():
    steady.cursor().execute("SELECT 1")
    if number % 12 == 0:
        thread = threading.Thread(target=handle)
        thread.start()
        thread.join()
subject.end(len(kept))
