# SPDX-License-Identifier: Apache-2.0
# does: makes an engine, and so a pool, for each request
# expect: LEAK L9
# culprit: handle
# server: postgresql
from sqlalchemy import create_engine, text

import subject

engines = []


def handle():
    engine = create_engine("postgresql+psycopg2://", isolation_level="AUTOCOMMIT")
    engines.append(engine)
    with engine.connect() as connection:
        connection.execute(text("SELECT 1"))  # CULPRIT


for _ in subject.requests(0.2):
    handle()
subject.end(len(engines))
