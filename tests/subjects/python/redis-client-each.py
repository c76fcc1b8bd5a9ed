# SPDX-License-Identifier: Apache-2.0
# does: a client with a pool of its own for each tenth request, kept in a cache that nobody empties
# expect: LEAK L1
# or: LEAK L9
# culprit: remember
# server: redis
import redis

import subject

clients = {}
shared = redis.Redis(**subject.redis_options())


def remember(number):
    client = redis.Redis(**subject.redis_options())
    client.set("key", number)  # CULPRIT
    clients[number] = client


for number in subject.requests():
    shared.get("key")
    if number % 10 == 0:
        remember(number)
subject.end(len(clients))
