# SPDX-License-Identifier: Apache-2.0
"""A private Redis."""
import os
import socket

from private_server import PrivateServer

# The server's program in Debian's redis-tools, which brings no service; it serves when it is called by that name.
PROGRAM = "/usr/bin/redis-check-rdb"


class Redis(PrivateServer):
    NAME = "redis"

    tls_port = 6379

    def __init__(self, max_connections=1000, tls=False):
        super().__init__(tls)
        self.max_connections = max_connections
        # TLS from the first byte looks like any other service: only the port tells, as it does in the field. So with
        # TLS an address of the loopback network that nobody else has.
        self.host = f"127.83.{os.getpid() >> 8 & 255}.{os.getpid() & 255 or 1}" if tls else "127.0.0.1"

    def prepare(self):
        os.symlink(PROGRAM, os.path.join(self.directory, "redis-server"))

    def command(self):
        command = [os.path.join(self.directory, "redis-server"), "--port", str(self.port), "--save", "", "--appendonly",
                   "no", "--dir", self.directory, "--maxclients", str(self.max_connections), "--bind", self.host, "--unixsocket", self.socket()]
        if self.tls:
            command += ["--tls-port", str(self.tls_port), "--tls-cert-file", self.certificate(), "--tls-key-file",
                        self.key(), "--tls-auth-clients", "no"]
        return command

    def socket(self):
        return os.path.join(self.directory, "redis.sock")

    def ready(self):
        try:
            with socket.create_connection((self.host, self.port), timeout=1):
                return True
        except OSError:
            return False
