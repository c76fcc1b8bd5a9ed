# SPDX-License-Identifier: Apache-2.0
# does: a worker leaves a background program behind that inherited its connection, and is killed
# expect: LEAK L6
# culprit: -
# server: postgresql
# not under: late-tls (alone on its port, encrypted, older than the observer: what it speaks cannot be told)
import os
import subprocess
import sys
import time

import psycopg2

import subject


def worker():
    connection = psycopg2.connect("")
    connection.autocommit = True
    os.set_inheritable(connection.fileno(), True)
    for number in range(150):
        connection.cursor().execute("SELECT 1")
        time.sleep(0.02)
    # In the shell's background: nobody waits for it.
    job = [sys.executable, "-c", "import time; time.sleep(30)"]
    shell = subprocess.Popen(["sh", "-c", '"$@" & echo $!', "sh", *job], close_fds=False, stdout=subprocess.PIPE)
    os.write(told, shell.stdout.readline())
    time.sleep(0.5)
    os._exit(0)


mine, told = os.pipe()
for number in subject.requests():
    if number == 100:
        child = os.fork()
        if child == 0:
            worker()
os.waitpid(child, 0)
job = int(os.read(mine, 20))
time.sleep(1)
os.kill(job, 9)
subject.end(1)
