#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What connections of PyMySQL do, as the first argument says: leak, pool, held, replies or overflow.

leak:  a connection for each request, kept by an error path that forgets to close it: LEAK L1.
pool:  a burst of ten, then one of them goes on: nothing.
held:  a transaction that was begun and is left, beside one that was committed and one that failed: HELD, one.
overflow: fills the server, and tries in vain to open more: attached late, SUSPECT L1 "saturated".
replies: long results, several results of one request, errors, prepared statements: idle after each, nothing.
Ends by itself and prints its ground truth as one line of JSON; the second argument is the server's port or socket.
"""
import json
import os
import sys
import time

import pymysql
from pymysql.constants import CLIENT

WHAT, WHERE = sys.argv[1:3]
SERVER = {"unix_socket": WHERE} if WHERE.startswith("/") else {"host": "127.0.0.1", "port": int(WHERE)}
kept = []


def connect(**options):
    connection = pymysql.connect(**SERVER, user="app", database="shop", autocommit=True, **options)
    kept.append(connection)
    return connection


def ask(connection, text):
    with connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def serve(connection, times):
    for _ in range(times):
        ask(connection, "SELECT 1")
        time.sleep(0.02)


def leak():
    pooled = connect()
    for turn in range(30):
        ask(connect(), f"SELECT {turn}")  # CULPRIT
        serve(pooled, 5)
    # The pool's own goes on being used while the last lost one falls silent.
    serve(pooled, 70)


def pool():
    burst = [connect() for _ in range(10)]
    for connection in burst:
        ask(connection, "SELECT 1")
    serve(burst[0], 150)


def held():
    left, committed, failed = connect(), connect(), connect()
    ask(left, "BEGIN")
    ask(left, "SELECT 1")
    ask(committed, "BEGIN")
    ask(committed, "COMMIT")
    try:
        ask(failed, "SELEKT")
    except pymysql.Error:
        pass
    time.sleep(2.5)


def replies():
    connection = connect(client_flag=CLIENT.MULTI_STATEMENTS)
    rows = ask(connection, "SELECT seq, REPEAT('x', 100) FROM seq_1_to_20000")
    if len(rows) != 20000:
        raise RuntimeError(f"{len(rows)} rows")
    several = connect(client_flag=CLIENT.MULTI_STATEMENTS)
    with several.cursor() as cursor:
        cursor.execute("SELECT 1; SELECT 2; DO 3")
        while cursor.nextset():
            pass
    prepared = connect()
    for text in ("PREPARE p FROM 'SELECT ?'", "SET @a = 1", "EXECUTE p USING @a", "DEALLOCATE PREPARE p"):
        ask(prepared, text)
    pinged = connect()
    pinged.ping(reconnect=False)
    empty = connect()
    ask(empty, "SELECT 1 FROM DUAL WHERE 1 = 0")
    time.sleep(1)


def overflow():
    try:
        while True:
            ask(connect(), "SELECT 1")
    except pymysql.Error:
        print("full", flush=True)
    sys.stdin.readline()  # the observer is there
    for _ in range(8):
        time.sleep(0.7)
        try:
            connect()
        except pymysql.Error:
            pass


{"leak": leak, "pool": pool, "held": held, "replies": replies, "overflow": overflow}[WHAT]()
if WHAT != "leak":
    time.sleep(1.5)
print(json.dumps({"leaked": len(kept) - 1 if WHAT == "leak" else 0, "opened": len(kept)}), flush=True)
os._exit(0)  # what is open stays open until the exit closes it
