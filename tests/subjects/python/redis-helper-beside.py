# SPDX-License-Identifier: Apache-2.0
# does: starts a helper that inherits its connections, but keeps and uses them itself; the helper ends first
# expect: none
# server: redis
import os
import subprocess

import redis

import subject

pool = [redis.Redis(**subject.redis_options(), single_connection_client=True) for _ in range(4)]
for client in pool:
    client.get("key")
    os.set_inheritable(client.connection._sock.fileno(), True)
helper = None
for number in subject.requests():
    pool[number // 25 % len(pool)].get("key")
    if number == 100:
        helper = subprocess.Popen(["sleep", "60"], close_fds=False)
helper.terminate()
helper.wait()
for client in pool:
    client.close()
subject.end()
