# SPDX-License-Identifier: Apache-2.0
"""What every subject in Python shares: the pace of its requests, its end, its servers."""
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
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


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


def service(handle):
    """Answers over HTTP with the status of handle(path), a thread a request, until clients.py has asked for all it wants."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(handle(self.path))
            self.end_headers()

        def log_message(self, *_):
            pass

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    clients = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients.py")
    subprocess.run([sys.executable, clients, str(server.server_port)], check=True)


def wheels():
    """Puts the packages that tools/subjects installed from wheels before those of the system."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path.insert(0, os.path.join(here, "../../../build/subjects/python"))


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
