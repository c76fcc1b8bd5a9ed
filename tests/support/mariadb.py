# SPDX-License-Identifier: Apache-2.0
"""A private MariaDB with the user "app", who has no password, and the database "shop".

Debian's mariadb-server-core brings the program and no service.
"""
import os
import socket

from private_server import PrivateServer

BOOT = """CREATE DATABASE shop;
CREATE USER app@'127.0.0.1';
GRANT ALL ON shop.* TO app@'127.0.0.1';
CREATE USER app@localhost;
GRANT ALL ON shop.* TO app@localhost;
"""


class MariaDb(PrivateServer):
    NAME = "mariadb"
    USER = "nobody"  # is on every machine

    def __init__(self, max_connections=200, tls=False):
        super().__init__(tls)
        self.max_connections = max_connections

    def prepare(self):
        self.run_as_server(["/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={self.directory}/data",
                            "--auth-root-authentication-method=normal", "--skip-test-db"])
        boot = os.path.join(self.directory, "boot.sql")
        with open(boot, "w", encoding="ascii") as file:
            file.write(BOOT)
        os.chmod(boot, 0o644)

    def command(self):
        tls = [f"--ssl-cert={self.certificate()}", f"--ssl-key={self.key()}"] if self.tls else []
        return ["/usr/sbin/mariadbd", "--no-defaults", f"--datadir={self.directory}/data",
                f"--socket={self.socket()}", f"--pid-file={self.directory}/pid", f"--port={self.port}",
                "--bind-address=127.0.0.1", "--skip-name-resolve", f"--max-connections={self.max_connections}",
                "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0",
                f"--init-file={self.directory}/boot.sql", *tls]

    def socket(self):
        return os.path.join(self.directory, "mysqld.sock")

    def ready(self):
        try:
            # The server greets first; it counts this as an aborted connect, and says so in its log.
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as probe:
                return bool(probe.recv(16))
        except OSError:
            return False
