# SPDX-License-Identifier: Apache-2.0
# does: an exception on the way skips close(); a list of failures keeps the connections alive
# expect: LEAK L1
# culprit: find_order
# server: postgresql
import psycopg2

import subject

failures = []


def find_order(number):
    connection = psycopg2.connect("")
    connection.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SELECT %s", (number,))  # CULPRIT
    if number % 10 == 0:
        failures.append(cursor)
        raise ValueError("locked")
    connection.close()


for number in subject.requests():
    try:
        find_order(number)
    except ValueError:
        pass
subject.end(len(failures))
