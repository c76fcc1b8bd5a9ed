# SPDX-License-Identifier: Apache-2.0
# does: five workers wait for jobs with BLPOP, a producer feeds them now and then
# expect: none
# server: redis
import threading

import redis

import subject


def work():
    client = redis.Redis(**subject.redis_options())
    while True:
        client.blpop("jobs", timeout=3)


for _ in range(5):
    threading.Thread(target=work, daemon=True).start()
producer = redis.Redis(**subject.redis_options())
for number in subject.requests():
    if number % 60 == 0:
        producer.rpush("jobs", number)
subject.end()
