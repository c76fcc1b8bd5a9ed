# SPDX-License-Identifier: Apache-2.0
"""The night case: connleak comes when the server already refuses."""
import os
import subprocess

from case import LiveCase
from connleak import ROOT, Actor, Observation, findings, groups
from mariadb import MariaDb
from postgres import Postgres
from redis_server import Redis

SLOTS = 50


class Saturated(LiveCase):
    def test_attached_when_the_server_refuses(self):
        with Postgres(max_connections=SLOTS) as server, Actor(server.environment()) as actor:
            actor.do(f"open {SLOTS}")
            actor.do("query all")
            with Observation([actor.pid], "--idle-after", "300ms") as observation:
                actor.do("overflow 8 700")
                outcome = observation.finish()
            (finding,) = findings(outcome.report, server.port)
            self.check_equal((finding["verdict"], finding["rule"], finding["name"]), ("SUSPECT", "L1", "saturated"),
                             outcome, "the finding")
            self.check_equal(finding["connections"], SLOTS, outcome, "all that lie idle, to the unit")
            (_, group), = groups(outcome.report, server.port)
            self.check_equal((group["protocol"], group["user"], group["open"]), ("postgresql", "postgres", SLOTS),
                             outcome, "the group")
            # Idle since the one request, before the observer came; the refusals alone took 5.6 s.
            idle = [member["idle_s"] for member in finding["members"]]
            self.check(all(seconds is not None and 5.6 < seconds < 120 for seconds in idle), outcome, f"idle: {idle}")
            self.check_equal({member["age_kind"] for member in finding["members"]}, {"at_least"}, outcome, "ages")

    def overflow(self, server, subject, protocol):
        command = ["/usr/bin/python3", "-I", os.path.join(ROOT, "tests/subjects", subject), "overflow", str(server.port)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env={"PATH": "/usr/bin:/bin"}) as actor:
            actor.stdout.readline()  # "full"
            with Observation([actor.pid], "--idle-after", "300ms", seconds=60) as observation:
                stdout, _ = actor.communicate("go\n")
                outcome = observation.finish()
        outcome.stdout = stdout
        slots = self.truth(outcome)["opened"]
        self.check(slots >= SLOTS - 1, outcome, f"only {slots} were opened")
        (finding,) = findings(outcome.report, server.port)
        self.check_equal((finding["verdict"], finding["rule"], finding["name"], finding["connections"]),
                         ("SUSPECT", "L1", "saturated", slots), outcome, "the finding")
        self.check_equal({group["protocol"] for _, group in groups(outcome.report, server.port)}, {protocol}, outcome,
                         "protocol, told by the refusals")

    def test_mariadb_refuses(self):
        with MariaDb(max_connections=SLOTS) as server:
            self.overflow(server, "mysql-actor.py", "mysql")

    def test_redis_refuses(self):
        with Redis(max_connections=SLOTS) as server:
            self.overflow(server, "redis-actor.py", "redis")

    def test_a_refused_login_is_no_want_of_slots(self):
        with Postgres(max_connections=SLOTS) as server, Actor(server.environment()) as actor:
            actor.do(f"open {SLOTS - 5}")
            actor.do("query all")
            server.sql("UPDATE pg_database SET datallowconn = false WHERE datname = 'postgres'")
            with Observation([actor.pid], "--idle-after", "300ms") as observation:
                actor.do("overflow 8 700")
                outcome = observation.finish()
            self.check_equal(findings(outcome.report, server.port), [], outcome, "findings")
