# SPDX-License-Identifier: Apache-2.0
# does: a cache client beside eight subscribers that come one after the other
# expect: none
# server: redis
# not under: tls (that a subscriber waits by design cannot be seen there)
import redis

import subject

client = redis.Redis(**subject.redis_options())
subscribers = []
for number in subject.requests():
    client.incr("counter")
    if number % 30 == 0 and len(subscribers) < 8:
        subscriber = redis.Redis(**subject.redis_options()).pubsub()
        subscriber.subscribe(f"channel-{number}")
        subscriber.get_message(timeout=1)
        subscribers.append(subscriber)
subject.end()
