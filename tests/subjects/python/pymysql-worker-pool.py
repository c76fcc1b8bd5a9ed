# SPDX-License-Identifier: Apache-2.0
# does: a small pool in a queue, first in first out, over MariaDB
# expect: none
# server: mariadb
import queue

import pymysql

import subject

pool = queue.Queue()
for _ in range(5):
    pool.put(pymysql.connect(**subject.pymysql_options()))
for number in subject.requests():
    connection = pool.get()
    connection.ping()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchall()
    pool.put(connection)
subject.end()
