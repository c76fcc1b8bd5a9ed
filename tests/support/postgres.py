# SPDX-License-Identifier: Apache-2.0
"""A private PostgreSQL.

As a program: postgres.py READY_FILE starts one, writes "port" to READY_FILE, and stops it on SIGTERM, SIGINT or when
its parent is gone (the demonstration uses this).
"""
import glob
import os
import signal
import subprocess
import sys
import time

from private_server import PrivateServer


def server_programs():
    """The directory of the newest installed server."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
    if not found:
        raise RuntimeError("no PostgreSQL server under /usr/lib/postgresql; tools/install demo installs it")
    return os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))


class Postgres(PrivateServer):
    """Databases as psql names them; user "postgres" without a password."""

    NAME = "postgres"
    USER = "postgres"
    STOP = signal.SIGINT
    STOP_HARDER = signal.SIGQUIT

    def __init__(self, max_connections=200, tls=False):
        super().__init__(tls)
        self.max_connections = max_connections
        self.programs = server_programs()

    def environment_of_server(self):
        return {"PATH": f"{self.programs}:/usr/bin:/bin", "LC_ALL": "C", "HOME": self.directory}

    def prepare(self):
        self.run_as_server([f"{self.programs}/initdb", "-D", f"{self.directory}/data", "-U", "postgres", "-A", "trust",
                            "-N", "-E", "UTF8", "--locale=C"])

    def command(self):
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1,::1",
            "unix_socket_directories": self.directory,
            "max_connections": self.max_connections,
            "fsync": "off",
            "autovacuum": "off",
            "shared_buffers": "16MB",
        }
        if self.tls:
            settings.update(ssl="on", ssl_cert_file=self.certificate(), ssl_key_file=self.key())
        command = [f"{self.programs}/postgres", "-D", f"{self.directory}/data"]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        return command

    def ready(self):
        probe = subprocess.run([f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                               env=self.environment_of_server(), check=False)
        return probe.returncode == 0

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
