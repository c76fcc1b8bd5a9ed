# SPDX-License-Identifier: Apache-2.0
"""clients.py PORT: asks a service on this host at every pace, open loop; from the 2nd second on each 60th asks for /locked.
A process of its own, so that what clients wait for is not what the service waits for."""
import sys
import threading
import time
import urllib.error
import urllib.request

import subject


def ask(path):
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}{path}", timeout=10).read()
    except (urllib.error.URLError, OSError):
        pass  # refused with 503, or cut off at the end


for number in subject.requests():
    path = "/locked" if number >= 100 and number % 60 == 40 else "/"
    threading.Thread(target=ask, args=(path,), daemon=True).start()
time.sleep(0.5)
