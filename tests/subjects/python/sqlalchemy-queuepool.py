# SPDX-License-Identifier: Apache-2.0
# does: QueuePool as it comes, with bursts over its size and a ping before each use
# expect: none
# server: postgresql
import threading

from sqlalchemy import create_engine, text

import subject

engine = create_engine("postgresql+psycopg2://", pool_pre_ping=True)


def handle():
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))
        connection.commit() if hasattr(connection, "commit") else None


for number in subject.requests():
    if number % 100 == 50:
        threads = [threading.Thread(target=handle) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    else:
        handle()
subject.end()
