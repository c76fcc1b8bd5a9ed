# SPDX-License-Identifier: Apache-2.0
# runs: honest leaked
# does: 50 requests a second, open loop, want a pool of 8 and wait 1 s for it at most. honest: 250 ms each, so 32 a second
# does: are served, the pool is too small. leaked: 125 ms each, 64 a second would be, but four slots are lost between
# does: the 2nd and the 6th second, which leaves 32
# expect: LEAK L2
# or: SUSPECT L2
# expect of honest: none
# culprit: reserve
# needs: starved
# server: postgresql
import sys

from psycopg_pool import ConnectionPool, PoolTimeout

import subject

LOSE = 4
leaked = sys.argv[1] == "leaked"
seconds = 0.125 if leaked else 0.25
lost = []
refused = []


def reserve(path):
    connection = pool.getconn(timeout=1)
    connection.execute("SELECT pg_sleep(%s)", (seconds,))  # CULPRIT
    if leaked and path == "/locked" and len(lost) < LOSE:
        lost.append(connection)
        return
    pool.putconn(connection)


def handle(path):
    try:
        reserve(path)
    except PoolTimeout:
        refused.append(path)
        return 503
    return 200


pool = ConnectionPool("", min_size=1, max_size=8, kwargs={"autocommit": True})
subject.service(handle)
subject.end(len(lost), refused=len(refused))
