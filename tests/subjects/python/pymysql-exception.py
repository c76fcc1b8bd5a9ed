# SPDX-License-Identifier: Apache-2.0
# does: an exception on the way skips close(); the traceback keeps the connection alive
# expect: LEAK L1
# culprit: find_order
# server: mariadb
import pymysql

import subject

failures = []


def find_order(number):
    connection = pymysql.connect(**subject.pymysql_options())
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", (number,))  # CULPRIT
    if number % 10 == 0:
        raise ValueError("locked")
    connection.close()


for number in subject.requests():
    try:
        find_order(number)
    except ValueError as failure:
        failures.append(failure)
subject.end(len(failures))
