# SPDX-License-Identifier: Apache-2.0
"""What happens to sockets in the field, driven step by step through the subject c-actor."""
import time

from case import LiveCase, server
from connleak import Actor, Observation, culprit_line, findings, groups

FAST = ("--idle-after", "300ms")


class EdgeCase(LiveCase):
    # Of the subject's connections: a port, or a unix socket's path.
    def endpoint(self):
        return server().port

    def group(self, outcome, port=None):
        """The one group of the private server; several holders of it are an error here."""
        found = groups(outcome.report, port or self.endpoint())
        self.check_equal(len(found), 1, outcome, "groups")
        return found[0]

    def totals(self, outcome, port=None):
        """open, opened, closed, failed over all processes."""
        found = [group for _, group in groups(outcome.report, port or self.endpoint())]
        return tuple(sum(group[key] for group in found)
                     for key in ("open", "opened_total", "closed_total", "failed_total"))

    def check_leak(self, outcome, truth, extra=0):
        leaks = findings(outcome.report, self.endpoint(), "LEAK")
        self.check_equal(len(leaks), 1, outcome, "findings")
        seen = leaks[0]["connections"]
        self.check(truth["leaked"] <= seen <= truth["leaked"] + extra, outcome,
                   f"{seen} connections instead of {truth['leaked']}" + (f" to {extra} more" if extra else ""))
        self.check_equal(leaks[0]["rule"], "L1", outcome, "rule")
        culprit = leaks[0]["culprit"] or {}
        self.check_equal((culprit.get("function"), culprit.get("line")), ("lose_one", culprit_line("c-actor.c")),
                         outcome, "culprit")
        return leaks[0]


class Edges(EdgeCase):
    def test_attach_late(self):
        with Actor(self.environment()) as actor:
            actor.do("open 5")
            actor.do("query all")
            time.sleep(1)
            with Observation([actor.pid], *FAST) as observation:
                actor.do("leak 30 100")
                actor.do("serve 4000")
                outcome = observation.finish()
            truth = actor.truth()
        self.check_equal(outcome.status, 0, outcome, "status: report fails on nothing by itself")
        self.check_equal(outcome.report["window"]["attached_late"], True, outcome, "attached_late")
        # The four idle ones of before the observer look the same; whether they count is a matter of stacks.
        leak = self.check_leak(outcome, truth, extra=4)
        self.check_equal(self.totals(outcome)[0], truth["open"], outcome, "open")
        exact = [member for member in leak["members"] if member["age_kind"] == "exact"]
        self.check_equal(len(exact), truth["leaked"], outcome, "members of exact age")
        late = [member for member in leak["members"] if member["age_kind"] != "exact"]
        self.check(all(member["age_kind"] == "at_least" for member in late), outcome, "the others: at least")

    def test_attach_late_without_growth_is_no_leak(self):
        with Actor(self.environment()) as actor:
            actor.do("open 15")
            actor.do("query all")
            with Observation([actor.pid], *FAST) as observation:
                actor.do("serve 2000")
                outcome = observation.finish()
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        self.check_equal(self.group(outcome)[1]["open"], 15, outcome, "open")
        self.check_equal(self.group(outcome)[1]["protocol"], "postgresql", outcome, "protocol")

    def test_killed(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST, "--fail-on", "leak", seconds=60) as observation:
                began = time.monotonic()
                actor.do("open 1")
                actor.do("leak 30 100")
                actor.do("serve 4000")
                truth = actor.truth()
                actor.end("die")
                outcome = observation.finish()
        self.check(time.monotonic() - began < 30, outcome, "the report ends when its process is gone")
        self.check_equal(outcome.status, 23, outcome, "status")
        self.check_leak(outcome, truth)
        process, group = self.group(outcome)
        self.check_equal(process["alive"], False, outcome, "alive")
        self.check_equal(group["open"], 0, outcome, "open")

    def test_exit_without_growth_is_no_leak(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST, seconds=60) as observation:
                actor.do("open 8")
                actor.do("query all")
                actor.do("serve 4000")
                actor.end("exit")
                outcome = observation.finish()
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        self.check_equal(self.totals(outcome)[:3], (0, 8, 8), outcome, "open, opened, closed")

    def test_listeners_are_exempt(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 1")
                actor.do("listen 30 100")
                actor.do("serve 2000")
                outcome = observation.finish()
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        self.check_equal(self.totals(outcome)[0], 31, outcome, "open")
        spared = {entry["reason"]: entry["connections"] for entry in self.group(outcome)[1]["not_flagged"]}
        self.check(any("listener" in reason and count == 30 for reason, count in spared.items()), outcome,
                   "not_flagged says that they listen")

    def test_refused(self):
        """A server that goes away: its address is known for a database's, so failures there are counted."""
        with Actor(self.environment()) as actor:
            with Observation([actor.pid]) as observation:
                port = actor.do("refuse 7")["port"]
                outcome = observation.finish()
        self.check_equal(self.totals(outcome, port), (0, 1, 1, 7), outcome, "open, opened, closed, failed")
        self.check_equal(findings(outcome.report), [], outcome, "findings")

    def test_ipv6(self):
        with Actor(self.environment(host="::1")) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 1")
                actor.do("leak 30 100")
                actor.do("serve 4000")
                outcome = observation.finish()
            truth = actor.truth()
        self.check_leak(outcome, truth)
        endpoint = self.group(outcome)[1]["endpoint"]
        self.check_equal((endpoint["family"], endpoint["address"]), ("inet6", "::1"), outcome, "endpoint")

    def test_peer_closes(self):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 1")
                for number in range(1, 13):
                    actor.do("open 1")
                    actor.do(f"query {number}")
                    actor.do(f"terminate {number}")
                    actor.do("serve 200")
                outcome = observation.finish()
        group = self.group(outcome)[1]
        self.check_equal((group["open"], group["half_closed"]), (13, 12), outcome, "open, half-closed")
        leaks = findings(outcome.report, self.endpoint(), "LEAK")
        self.check_equal([(leak["rule"], leak["name"], leak["connections"]) for leak in leaks],
                         [("L7", "half-closed", 12)], outcome, "findings")

    def test_peer_closes_once(self):
        """A single half-closed connection is stale, not a leak; closing it retracts that."""
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 2")
                actor.do("query all")
                actor.do("terminate 1")
                actor.do("serve 4000")
                outcome = observation.finish()
        self.check_equal(findings(outcome.report, verdict="LEAK"), [], outcome, "leaks")
        self.check_equal(self.group(outcome)[1]["half_closed"], 1, outcome, "half-closed")
        self.check_equal(outcome.report["summary"]["stale"], 1, outcome, "summary.stale")

    def test_fork_inherits(self):
        """The child holds what the parent closed: still open. Nothing leaks once the child is gone."""
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as alive, Observation([actor.pid], *FAST) as gone:
                fds = actor.do("open 3")["fds"]
                actor.do("query all")
                actor.do("fork 7000")
                for fd in fds:
                    actor.do(f"closefd {fd}")
                outcome = alive.finish()
                self.check_equal(self.totals(outcome)[:3], (3, 3, 0), outcome, "open, opened, closed with the child")
                self.check_equal(findings(outcome.report, verdict="LEAK"), [], outcome, "leaks")
                time.sleep(7)  # the child's life
                outcome = gone.finish()
        self.check_equal(self.totals(outcome)[:3], (0, 3, 3), outcome, "open, opened, closed without it")
        self.check_equal(findings(outcome.report, verdict="LEAK"), [], outcome, "leaks")

    def test_dup2_over_the_descriptor(self):
        """Connection 1 loses its only descriptor, connection 2 lives on in a copy."""
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST) as observation:
                actor.do("open 4")
                actor.do("query all")
                copy = actor.do("dup 2")["fd"]
                actor.do("dup2 1")
                actor.do("dup2 2")
                actor.do("serve 500")
                outcome = observation.finish()
            self.assertGreater(copy, 2)
        self.check_equal(self.totals(outcome)[:3], (3, 4, 1), outcome, "open, opened, closed")
        self.check_equal(findings(outcome.report), [], outcome, "findings")


class Loss(EdgeCase):
    """Lost events are counted, repaired by a rescan, and invent nothing."""

    def lossy(self, *options, storm):
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST, *options) as observation:
                actor.do("open 12")
                actor.do("query all")
                port = actor.do(f"storm {storm}")["port"] if storm else None
                for number in (3, 5, 7):
                    actor.do(f"close {number}")
                actor.do("open 4")
                actor.do("query all")
                actor.do("serve 3000")
                outcome = observation.finish()
            truth = actor.truth()
        self.check_equal(outcome.status, 0, outcome, "status")
        loss = outcome.report["loss"]
        self.check_equal(loss["complete"], False, outcome, "loss.complete")
        self.check(loss["events_lost"] > 0, outcome, "losses are counted")
        self.check_equal(findings(outcome.report), [], outcome, "findings")
        seen = sum(group["open"] for _, group in groups(outcome.report, self.endpoint()))
        self.check_equal(seen, truth["open"], outcome, "open after the rescan")
        if port:
            left = sum(group["open"] for _, group in groups(outcome.report, port))
            self.check_equal(left, 0, outcome, "left of the storm after the rescan")

    def test_small_ring_under_a_storm(self):
        self.lossy("--ring-bytes", "4096", storm=20000)

    def test_dropped_events(self):
        self.lossy("--drop-one-in", "3", storm=0)

    def test_leak_is_found_in_spite_of_drops(self):
        """Not every event is needed: levels carry the rules. The finding says that it is incomplete."""
        with Actor(self.environment()) as actor:
            with Observation([actor.pid], *FAST, "--drop-one-in", "10") as observation:
                actor.do("open 1")
                actor.do("leak 30 100")
                actor.do("serve 4000")
                outcome = observation.finish()
            truth = actor.truth()
        self.check_equal(self.totals(outcome)[0], truth["open"], outcome, "open")
        leaks = findings(outcome.report, verdict="LEAK")
        self.check(leaks, outcome, "the leak is found")
        for leak in leaks:
            self.check(leak["connections"] <= truth["leaked"], outcome, "nothing is invented")
            self.check_equal(leak["complete"], False, outcome, "complete")
