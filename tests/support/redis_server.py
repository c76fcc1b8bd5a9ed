# SPDX-License-Identifier: Apache-2.0
"""A private Redis."""
import os
import socket

from private_server import PrivateServer

# The server's program in Debian's redis-tools, which brings no service; it serves when it is called by that name.
PROGRAM = "/usr/bin/redis-check-rdb"


class Redis(PrivateServer):
    NAME = "redis"

    # TLS from the first byte looks like any other service: only the port tells, as it does in the field. This address
    # of the loopback network is nobody's.
    tls_host, tls_port = "127.83.76.1", 6379

    def __init__(self, max_connections=1000, tls=False):
        super().__init__(tls)
        self.max_connections = max_connections

    def prepare(self):
        os.symlink(PROGRAM, os.path.join(self.directory, "redis-server"))

    def command(self):
        command = [os.path.join(self.directory, "redis-server"), "--port", str(self.port), "--save", "", "--appendonly",
                   "no", "--dir", self.directory, "--maxclients", str(self.max_connections), "--bind", "127.0.0.1"]
        if self.tls:
            command += [self.tls_host, "--tls-port", str(self.tls_port), "--tls-cert-file", self.certificate(),
                        "--tls-key-file", self.key(), "--tls-auth-clients", "no"]
        return command

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False
