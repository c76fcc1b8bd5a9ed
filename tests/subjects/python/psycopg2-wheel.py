# SPDX-License-Identifier: Apache-2.0
# runs: leaked fixed
# does: psycopg2-binary of PyPI, whose libpq is a copy under another name; an exception on the way skips close()
# expect: LEAK L1
# expect of fixed: none
# culprit: find_order
# server: postgresql
# wheel: psycopg2
import sys

import subject

subject.wheels()
import psycopg2  # noqa: E402

fixed = sys.argv[1] == "fixed"
failures = []


def find_order(number):
    connection = psycopg2.connect("")
    connection.autocommit = True
    try:
        connection.cursor().execute("SELECT %s", (number,))  # CULPRIT
        if number % 10 == 0:
            raise ValueError("locked")
        connection.close()
    except ValueError:
        if fixed:
            connection.close()
        else:
            failures.append(connection)


with open("/proc/self/maps", encoding="utf-8") as maps:
    assert any("psycopg2_binary.libs/libpq-" in line for line in maps), "not the libpq of the wheel"
for number in subject.requests():
    find_order(number)
subject.end(len(failures))
