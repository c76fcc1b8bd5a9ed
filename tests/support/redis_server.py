# SPDX-License-Identifier: Apache-2.0
"""A private Redis: its own directory, its own loopback port, gone with its owner."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from postgres import free_port

# The server's program in Debian's redis-tools, which brings no service; it serves when it is called by that name.
PROGRAM = "/usr/bin/redis-check-rdb"


class Redis:
    """with Redis() as server: ...; the server is ready inside."""

    def __init__(self):
        self.directory = None
        self.port = None
        self.server = None

    def __enter__(self):
        if not os.path.exists(PROGRAM):
            raise RuntimeError(f"no {PROGRAM}; tools/install test installs it")
        self.directory = tempfile.mkdtemp(prefix="connleak-redis-")
        try:
            for _ in range(5):
                self.port = free_port()
                if self._serve():
                    return self
            raise RuntimeError("Redis did not start; its log ends in: " + self._log()[-500:])
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def _serve(self):
        with open(os.path.join(self.directory, "log"), "ab") as log:
            # Should the tests be killed, the server goes too.
            os.chmod(self.directory, 0o700)
            self.server = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", os.path.join(self._link(), "redis-server"), "--port",
                 str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.directory],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0, env={"PATH": "/usr/bin:/bin"})
        for _ in range(100):
            if self.server.poll() is not None:
                return False
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return True
            except OSError:
                time.sleep(0.1)
        return False

    def _link(self):
        link = os.path.join(self.directory, "redis-server")
        if not os.path.islink(link):
            os.symlink(PROGRAM, link)
        return self.directory

    def _log(self):
        with open(os.path.join(self.directory, "log"), encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGTERM)
            try:
                self.server.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.server.wait(timeout=10)
        self.server = None
        if self.directory:
            shutil.rmtree(self.directory, ignore_errors=True)
            self.directory = None
