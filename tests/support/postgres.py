# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL: its own directory, its own loopback port, gone with its owner.

As a program: postgres.py READY_FILE starts one, writes "port" to READY_FILE, and stops it on SIGTERM, SIGINT or when
its parent is gone (the demonstration uses this).
"""
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time


def server_programs():
    """The directory of the newest installed server."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found:
        raise RuntimeError("no PostgreSQL server under /usr/lib/postgresql; tools/install demo installs it")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))


def free_port():
    """A TCP port that is free on both loopback addresses now; somebody else may still be faster."""
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::", 0))
        return probe.getsockname()[1]


class Postgres:
    """with Postgres() as server: ...; the server is ready inside."""

    def __init__(self, max_connections=200):
        self.max_connections = max_connections
        self.programs = server_programs()
        self.directory = None
        self.port = None
        self.server = None

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _as_owner(self):
        # The server refuses to run as root. The group matters little, the user everything.
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam("postgres")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _environment(self):
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "LC_ALL": "C", "HOME": self.directory}

    def _start(self):
        self.directory = tempfile.mkdtemp(prefix="connleak-postgres-")
        owner = self._as_owner()
        if owner:
            os.chown(self.directory, owner["user"], owner["group"])
        data = os.path.join(self.directory, "data")
        subprocess.run(
            [f"{self.programs}/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8",
             "--locale=C"],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=self._environment(),
            cwd=self.directory, **owner)
        for attempt in range(5):
            self.port = free_port()
            if self._serve(data, owner):
                return
        raise RuntimeError("PostgreSQL did not start; its log ends in: " + self._log()[-500:])

    def _serve(self, data, owner):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1,::1",
            "unix_socket_directories": self.directory,
            "max_connections": self.max_connections,
            "fsync": "off",
            "autovacuum": "off",
            "shared_buffers": "16MB",
        }
        # Should the tests be killed, the server goes too.
        command = ["setpriv", "--pdeathsig", "INT", f"{self.programs}/postgres", "-D", data]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            # A group of its own: an interrupt typed at the tests is for the tests, which then stop it in order.
            self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=self._environment(), cwd=self.directory, process_group=0, **owner)
        for _ in range(300):
            if self.server.poll() is not None:
                return False
            ready = subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                                   env=self._environment(), check=False)
            if ready.returncode == 0:
                return True
            time.sleep(0.1)
        return False

    def _log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGINT)  # fast shutdown: ends sessions, does not wait for clients
            try:
                self.server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.server.send_signal(signal.SIGQUIT)
                self.server.wait(timeout=15)
        self.server = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None

    def environment(self, host="127.0.0.1", name="postgres"):
        """What libpq and lib/pq read, beside the caller's own environment."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
        return {**clean, "PGHOST": host, "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": name}

    def sql(self, text):
        """Rows of a query, as lists of strings."""
        done = subprocess.run([f"{self.programs}/psql", "-XAtq", "-F", "\t", "-c", text], check=True, text=True,
                              capture_output=True, env=self.environment(host=self.directory))
        return [line.split("\t") for line in done.stdout.splitlines()]


def main(ready_file):
    stopping = []
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: stopping.append(True))
    parent = os.getppid()
    with Postgres() as server:
        with open(ready_file + ".new", "w", encoding="ascii") as ready:
            ready.write(f"{server.port}\n")
        os.rename(ready_file + ".new", ready_file)
        while not stopping and os.getppid() == parent:
            time.sleep(0.2)


if __name__ == "__main__":
    main(sys.argv[1])
