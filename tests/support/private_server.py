# SPDX-License-Identifier: Apache-2.0
"""What the private database servers of the tests share: a directory and a loopback port of their own, gone with their
owner."""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    """A TCP port that is free on both loopback addresses now; somebody else may still be faster."""
    with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::", 0))
        return probe.getsockname()[1]


class PrivateServer:
    """with Server() as server: ...; the server is ready inside. A subclass gives what is None here."""

    NAME = None
    USER = None  # whom root becomes; None: stays root
    STOP = signal.SIGTERM  # ends sessions, does not wait for clients
    STOP_HARDER = signal.SIGKILL

    def __init__(self, tls=False):
        self.tls = tls  # also serves under TLS, with a certificate that nobody signed
        self.directory = None
        self.port = None
        self.server = None

    def prepare(self):
        """Once, in the new directory: what the server needs before it starts."""

    def key(self):
        return os.path.join(self.directory, "server.key")

    def certificate(self):
        return os.path.join(self.directory, "server.crt")

    def command(self):
        """The server in the foreground, at self.port."""
        raise NotImplementedError

    def ready(self):
        """It serves."""
        raise NotImplementedError

    def environment_of_server(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "HOME": self.directory}

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix=f"connleak-{self.NAME}-")
        try:
            owner = self._owner()
            if owner:
                os.chown(self.directory, owner["user"], owner["group"])
            if self.tls:
                self.run_as_server(["/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                                    "-subj", "/CN=localhost", "-keyout", self.key(), "-out", self.certificate()])
                os.chmod(self.key(), 0o600)
            self.prepare()
            for _ in range(5):
                self.port = free_port()
                if self._serve():
                    return self
            raise RuntimeError(f"{self.NAME} did not start; its log ends in: " + self._log()[-500:])
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def _owner(self):
        # PostgreSQL and MariaDB refuse to run as root. The group matters little, the user everything.
        if self.USER is None or os.geteuid() != 0:
            return {}
        user = pwd.getpwnam(self.USER)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def run_as_server(self, command):
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, errors="replace",
                              env=self.environment_of_server(), cwd=self.directory, **self._owner())
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} ended with status {done.returncode}: {done.stdout[-500:]}")

    def _serve(self):
        # Should the tests be killed, the server goes too.
        command = ["setpriv", "--pdeathsig", self.STOP.name.removeprefix("SIG"), *self.command()]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            # A group of its own: an interrupt typed at the tests is for the tests, which then stop it in order.
            self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
                                           env=self.environment_of_server(), cwd=self.directory, **self._owner())
        for _ in range(300):
            if self.server.poll() is not None:
                return False
            if self.ready():
                return True
            time.sleep(0.1)
        return False

    def _log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(self.STOP)
            try:
                self.server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.server.send_signal(self.STOP_HARDER)
                self.server.wait(timeout=15)
        self.server = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
