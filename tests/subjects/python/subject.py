# SPDX-License-Identifier: Apache-2.0
"""What every subject in Python shares: the pace of its requests, its end, its servers."""
import json
import os
import time

SECONDS = float(os.environ.get("SUBJECT_SECONDS", "12"))
BURSTS = "SUBJECT_BURSTS" in os.environ
served = 0


def requests(pace=0.02):
    """Counts up every 20 ms, with lulls of a second in bursts, until the time is over but for 1.5 s."""
    global served
    began = lull = time.monotonic()
    number = 0
    while time.monotonic() < began + SECONDS - 1.5:
        yield number
        number += 1
        served += 1
        time.sleep(pace)
        if BURSTS and time.monotonic() > lull + 3:
            time.sleep(1)
            lull = time.monotonic()


def end(leaked=0, **more):
    """A quiet end; what is open is closed by the exit alone."""
    time.sleep(1.5)
    print(json.dumps({"leaked": leaked, "requests": served, **more}), flush=True)
    os._exit(0)


def left_behind(worker):
    """Serves the time while a child runs worker(leave), which ends by leave(pid of whom it leaves behind)."""
    mine, told = os.pipe()
    child = None

    def leave(pid):
        os.write(told, str(pid).encode())
        time.sleep(0.5)
        os._exit(0)  # nothing of the worker's is closed before

    for number in requests():
        if number == 100:
            child = os.fork()
            if child == 0:
                worker(leave)
    os.waitpid(child, 0)
    time.sleep(1)
    os.kill(int(os.read(mine, 20)), 9)
    end(1)


def pymysql_options():
    options = {"host": os.environ["MYSQL_HOST"], "port": int(os.environ["MYSQL_PORT"]), "user": "app",
               "database": "shop", "autocommit": True}
    if "MYSQL_TLS" in os.environ:
        options["ssl"] = {"check_hostname": False, "verify_mode": False}
    return options


def redis_options():
    options = {"host": os.environ["REDIS_HOST"], "port": int(os.environ["REDIS_PORT"])}
    if "REDIS_TLS" in os.environ:
        options.update(ssl=True, ssl_cert_reqs="none")
    return options
