# SPDX-License-Identifier: Apache-2.0
# does: sessions that failed are kept, uncommitted, over a pool without a limit
# expect: LEAK L3
# under tls: LEAK L1
# culprit: place_order
# server: postgresql
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

import subject

engine = create_engine("postgresql+psycopg2://", pool_size=2, max_overflow=-1)
kept = []


def place_order(number):
    session = Session(engine)
    session.execute(text("SELECT 1"))  # CULPRIT
    if number % 10 == 0:
        kept.append(session)
        return
    session.commit()
    session.close()


for number in subject.requests():
    place_order(number)
subject.end(len(kept))
