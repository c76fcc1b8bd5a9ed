# SPDX-License-Identifier: Apache-2.0
# does: a preloading server: workers inherit the parent's pool and never touch it, the parent closes it after the fork
# expect: none
# or: STALE
# server: postgresql
import os

import psycopg2

import subject

pool = [psycopg2.connect("") for _ in range(5)]
for connection in pool:
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")


def work():
    connection = psycopg2.connect("")
    connection.autocommit = True
    for _ in subject.requests():
        connection.cursor().execute("SELECT 1")
    os._exit(0)


children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        work()
    children.append(child)
for connection in pool:
    connection.close()
for _ in subject.requests():
    pass
for child in children:
    if os.waitpid(child, 0)[1] != 0:
        raise RuntimeError("a worker failed")
subject.end()
