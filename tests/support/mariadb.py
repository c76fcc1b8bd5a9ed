# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB: its own directory, its own loopback port, gone with its owner.

User "app" without a password, database "shop"; Debian's mariadb-server-core brings the program and no service.
"""
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from postgres import free_port

SERVER = "/usr/sbin/mariadbd"
INSTALL = "/usr/bin/mariadb-install-db"
BOOT = """CREATE DATABASE shop;
CREATE USER app@'127.0.0.1';
GRANT ALL ON shop.* TO app@'127.0.0.1';
"""


class MariaDb:
    """with MariaDb() as server: ...; the server is ready inside."""

    def __init__(self):
        self.directory = None
        self.port = None
        self.server = None

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="connleak-mariadb-")
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def _owner(self):
        # The server refuses to run as root; nobody is on every machine.
        if os.geteuid() != 0:
            return {}
        user = pwd.getpwnam("nobody")
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _start(self):
        owner = self._owner()
        if owner:
            os.chown(self.directory, owner["user"], owner["group"])
        data = os.path.join(self.directory, "data")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.directory}
        subprocess.run([INSTALL, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal",
                        "--skip-test-db"], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env=environment, cwd=self.directory, **owner)
        boot = os.path.join(self.directory, "boot.sql")
        with open(boot, "w", encoding="ascii") as file:
            file.write(BOOT)
        os.chmod(boot, 0o644)
        for _ in range(5):
            self.port = free_port()
            if self._serve(data, boot, owner, environment):
                return
        raise RuntimeError("MariaDB did not start; its log ends in: " + self._log()[-500:])

    def _serve(self, data, boot, owner, environment):
        command = ["setpriv", "--pdeathsig", "TERM", SERVER, "--no-defaults", f"--datadir={data}",
                   f"--socket={self.directory}/socket", f"--pid-file={self.directory}/pid", f"--port={self.port}",
                   "--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=200",
                   "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0", f"--init-file={boot}"]
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0,
                                           env=environment, cwd=self.directory, **owner)
        for _ in range(200):
            if self.server.poll() is not None:
                return False
            try:
                # A greeting ends the wait; the server counts it as an aborted connect, and says so in its log.
                with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                    if probe.recv(16):
                        return True
            except OSError:
                pass
            time.sleep(0.1)
        return False

    def _log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait(timeout=10)
        self.server = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
