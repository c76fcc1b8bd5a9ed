# SPDX-License-Identifier: Apache-2.0
# does: a master forks six workers one after the other, each with one connection; some are rarely asked
# expect: none
# server: postgresql
import os
import time

import psycopg2

import subject


def work(rank):
    connection = psycopg2.connect("")
    connection.autocommit = True
    for number in subject.requests():
        if number % (1 + 20 * rank) == 0:
            connection.cursor().execute("SELECT 1")
    os._exit(0)


children = []
for rank in range(6):
    child = os.fork()
    if child == 0:
        work(rank)
    children.append(child)
    time.sleep(0.3)
for child in children:
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("a worker failed")
subject.end()
