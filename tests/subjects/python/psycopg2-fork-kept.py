# SPDX-License-Identifier: Apache-2.0
# does: a worker forks a child that only waits, and exits without closing its connection: the child has it now
# expect: SUSPECT L6
# culprit: worker
# server: postgresql
# not under: late-tls (alone on its port, encrypted, older than the observer: what it speaks cannot be told)
import os
import time

import psycopg2

import subject


def worker(leave):
    connection = psycopg2.connect("")
    connection.autocommit = True
    for _ in range(150):
        connection.cursor().execute("SELECT 1")
        time.sleep(0.02)
    child = os.fork()  # CULPRIT
    if child == 0:
        time.sleep(30)
        os._exit(0)
    leave(child)


subject.left_behind(worker)
