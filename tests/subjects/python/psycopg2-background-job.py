# SPDX-License-Identifier: Apache-2.0
# does: a worker leaves a background program behind that inherited its connection, and is killed
# expect: LEAK L6
# culprit: worker
# server: postgresql
# not under: late-tls (alone on its port, encrypted, older than the observer: what it speaks cannot be told)
import os
import subprocess
import sys
import time

import psycopg2

import subject


def worker(leave):
    connection = psycopg2.connect("")
    connection.autocommit = True
    os.set_inheritable(connection.fileno(), True)
    for _ in range(150):
        connection.cursor().execute("SELECT 1")
        time.sleep(0.02)
    # In the shell's background: nobody waits for it.
    job = [sys.executable, "-c", "import time; time.sleep(30)"]
    shell = subprocess.Popen(["sh", "-c", '"$@" & echo $!', "sh", *job], close_fds=False, stdout=subprocess.PIPE)  # CULPRIT
    leave(int(shell.stdout.readline()))


subject.left_behind(worker)
