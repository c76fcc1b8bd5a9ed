# SPDX-License-Identifier: Apache-2.0
"""Unix sockets as equals: what holds over TCP holds over them, and the server says the same to the unit."""
import os
import time

import test_edges
from case import LiveCase, server
from connleak import Actor, Observation, findings, groups, run_under
from mariadb import MariaDb
from redis_server import Redis

FAST = test_edges.FAST
SUBJECTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../subjects")


def socket_path():
    return f"{server().directory}/.s.PGSQL.{server().port}"


class UnixEdges(test_edges.Edges):
    """Everything that the edges ask of TCP."""

    test_ipv6 = None
    test_refused = None  # connect() on a path is not seen
    test_mptcp = None

    def endpoint(self):
        return socket_path()

    def environment(self, host=None, **options):
        return super().environment(host=server().directory, **options)

    def test_the_server_agrees(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 1")
                actor.do("leak 20 100")
                actor.do("serve 2000")
                outcome = observation.finish()
            leak = self.check_leak(outcome, actor.truth())
            process, group = self.group(outcome)
            rows = server().sql(f"SELECT pid FROM pg_stat_activity WHERE {leak['server_filter']}")
        self.check_equal(group["endpoint"], {"family": "unix", "address": None, "port": None, "path": socket_path()},
                         outcome, "endpoint")
        self.check_equal((group["protocol"], group["user"], group["database"]), ("postgresql", "postgres", "postgres"),
                         outcome, "protocol, user, database")
        self.check_equal({int(row[0]) for row in rows}, {member["peer"]["pid"] for member in leak["members"]}, outcome,
                         "backends, by the server and by the report")
        self.check_equal({member["peer"]["comm"] for member in leak["members"]}, {"postgres"}, outcome, "who answers")

    def test_closes_are_seen_within_a_second(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], seconds=4) as observation:  # --idle-after 30s: a scan each second
                actor.do("open 20")
                actor.do("query all")
                actor.do("close all")
                time.sleep(1)
                outcome = observation.finish()
        self.check_equal(self.totals(outcome), (0, 20, 20, 0), outcome, "open, opened, closed, failed")

    def test_late_ones_beside_tcp(self):
        """Found in one scan with connections over TCP, and joined by a new one: one group."""
        with Actor(server().environment()) as tcp, Actor(self.environment()) as actor:
            for each in (tcp, actor):
                each.do("open 4")
                each.do("query all")
            with Observation([tcp.pid, actor.pid], *FAST, seconds=4) as observation:
                time.sleep(1)
                actor.do("open 1")
                for each in (tcp, actor):
                    each.do("query all")
                outcome = observation.finish()
        self.check_equal(self.group(outcome)[1]["open"], 5, outcome, "open, in the one group of the path")
        (_, over_tcp), = groups(outcome.report, server().port)
        self.check_equal((over_tcp["open"], over_tcp["endpoint"]["path"]), (4, None), outcome, "over TCP")

    def test_endpoint_selects(self):
        with Actor(self.environment()) as actor:
            for wanted, count in ((socket_path(), 1), ("/run/another.sock", 0)):
                with Observation([actor.pid], *FAST, "--endpoint", wanted, seconds=3) as observation:
                    actor.do("open 1")
                    actor.do("query all")
                    outcome = observation.finish()
                self.check_equal(len(groups(outcome.report)), count, outcome, f"groups at {wanted}")


class OtherServers(LiveCase):
    def observe(self, subject, what, path, *options):
        outcome = run_under(["/usr/bin/python3", "-I", f"{SUBJECTS}/{subject}", what, path], "--idle-after", "300ms",
                            *options, environment={"PATH": "/usr/bin:/bin"})
        (_, group), = groups(outcome.report, path)
        self.check_equal(group["opened_total"], self.truth(outcome)["opened"], outcome, "opened, to the unit")
        return outcome, group

    def check_server(self, subject, path, wanted):
        outcome, group = self.observe(subject, "leak", path)
        self.check_equal((group["protocol"], group["user"], group["database"]), wanted, outcome,
                         "protocol, user, database")
        (leak,) = findings(outcome.report)
        self.check_equal((leak["verdict"], leak["rule"], leak["connections"]),
                         ("LEAK", "L1", self.truth(outcome)["leaked"]), outcome, "the finding")
        outcome, _ = self.observe(subject, "pool", path)
        self.check_equal(findings(outcome.report), [], outcome, "a pool")
        outcome, _ = self.observe(subject, "held", path, "--hold-after", "1s")
        (held,) = findings(outcome.report)
        self.check_equal((held["verdict"], held["connections"], held["members"][0]["transaction"]),
                         ("HELD", 1, "open"), outcome, "the open transaction")

    def test_mariadb(self):
        with MariaDb() as mariadb:
            self.check_server("mysql-actor.py", mariadb.socket(), ("mysql", "app", "shop"))

    def test_redis(self):
        with Redis() as redis:
            self.check_server("redis-actor.py", redis.socket(), ("redis", None, None))
