# SPDX-License-Identifier: Apache-2.0
"""A private Redis."""
import os
import socket

from private_server import PrivateServer

# The server's program in Debian's redis-tools, which brings no service; it serves when it is called by that name.
PROGRAM = "/usr/bin/redis-check-rdb"


class Redis(PrivateServer):
    NAME = "redis"

    def __init__(self, max_connections=1000):
        super().__init__()
        self.max_connections = max_connections

    def prepare(self):
        os.symlink(PROGRAM, os.path.join(self.directory, "redis-server"))

    def command(self):
        return [os.path.join(self.directory, "redis-server"), "--port", str(self.port), "--bind", "127.0.0.1", "--save",
                "", "--appendonly", "no", "--dir", self.directory, "--maxclients", str(self.max_connections)]

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False
