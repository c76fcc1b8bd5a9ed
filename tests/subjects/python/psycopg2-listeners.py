# SPDX-License-Identifier: Apache-2.0
# does: ten tenants, each with a connection that LISTENs, added one after the other, beside one that serves
# expect: none
# server: postgresql
# not under: tls (that a listener waits by design cannot be seen there)
import psycopg2

import subject

steady = psycopg2.connect("")
steady.autocommit = True
listeners = []
for number in subject.requests():
    steady.cursor().execute("SELECT 1")
    if number % 25 == 0 and len(listeners) < 10:
        listener = psycopg2.connect("")
        listener.autocommit = True
        listener.cursor().execute("LISTEN tenant_%d" % number)
        listeners.append(listener)
subject.end()
