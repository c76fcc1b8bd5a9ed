#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What connections of redis-py do, as the first argument says: leak, pool, held, listen or
overflow.

leak:  a client for each request, kept by an error path that forgets to close it: LEAK L1.
pool:  a burst of ten over one pool, then serial use: nothing.
held:  a MULTI that is neither executed nor discarded: HELD.
listen: subscribers that wait for messages: nothing, exempt.
overflow: fills the server, and tries in vain to open more: attached late, SUSPECT L1 "saturated".
Ends by itself and prints its ground truth as one line of JSON; the second argument is the server's port or
socket.
"""
import json
import os
import sys
import time

import redis

WHAT, WHERE = sys.argv[1:3]
UNIX = WHERE.startswith("/")
SERVER = {"path": WHERE} if UNIX else {"host": "127.0.0.1", "port": int(WHERE)}
KIND = redis.UnixDomainSocketConnection if UNIX else redis.Connection
kept, requests, opened = [], 0, 0


def client():
    return redis.Redis(unix_socket_path=WHERE) if UNIX else redis.Redis(**SERVER)


def leak():
    global requests, opened
    pooled = client()
    for turn in range(30):
        lost = client()
        lost.set("order", turn)  # CULPRIT
        kept.append(lost)
        for _ in range(5):
            pooled.get("order")
            time.sleep(0.02)
        requests += 6
    opened = len(kept) + 1
    # The pool's own goes on being used while the last lost one falls silent.
    for _ in range(70):
        pooled.get("order")
        time.sleep(0.02)


def pool():
    global requests, opened
    shared = redis.ConnectionPool(connection_class=KIND, **SERVER)
    burst = [shared.get_connection("PING") for _ in range(10)]
    for connection in burst:
        connection.send_command("GET", "order")
        connection.read_response()
        shared.release(connection)
    serial = redis.Redis(connection_pool=shared)
    for _ in range(150):
        serial.get("order")
        time.sleep(0.02)
    kept.append(shared)
    requests, opened = 160, 10


def held():
    global requests, opened
    connection = KIND(**SERVER)
    connection.connect()
    for command in (["SET", "order", "1"], ["MULTI"], ["SET", "order", "2"]):
        connection.send_command(*command)
        connection.read_response()
    kept.append(connection)
    # A pipeline whose transaction is whole is over.
    whole = client()
    whole.pipeline(transaction=True).set("order", 3).get("order").execute()
    kept.append(whole)
    requests, opened = 4, 2
    time.sleep(2.5)


def listen():
    global requests, opened
    for _ in range(6):
        subscriber = client().pubsub()
        subscriber.subscribe("orders")
        subscriber.get_message(timeout=1)
        kept.append(subscriber)
        time.sleep(0.4)
    requests, opened = 6, 6


def overflow():
    global requests, opened
    try:
        while True:
            connection = KIND(**SERVER)
            connection.connect()
            connection.send_command("GET", "order")
            connection.read_response()
            kept.append(connection)
    except redis.RedisError:
        print("full", flush=True)
    sys.stdin.readline()  # the observer is there
    for _ in range(8):
        time.sleep(0.7)
        try:
            client().get("order")
        except redis.RedisError:
            requests += 1
    opened = len(kept)


{"leak": leak, "pool": pool, "held": held, "listen": listen, "overflow": overflow}[WHAT]()
if WHAT != "leak":
    time.sleep(1.5)
print(json.dumps({"leaked": len(kept) if WHAT == "leak" else 0, "opened": opened, "requests": requests}), flush=True)
os._exit(0)  # what is open stays open until the exit closes it
