"""Who wants to hear when the dates of a programme are known, and telling them; it must not book anybody a place."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import outbox
from bot.message import Late
from bot.storage import tables


def add_interest(db: sa.Connection, person_id: str, programme_id: str, now: dt.datetime) -> None:
    """Tell her when the dates are known."""
    table = tables.interest
    mine = (table.c.person_id == person_id) & (table.c.programme_id == programme_id)
    if not db.execute(sa.update(table).where(mine).values(since=now, told_at=None)).rowcount:
        db.execute(sa.insert(table).values(person_id=person_id, programme_id=programme_id, since=now))


def tell_interested(db: sa.Connection, programme_id: str, now: dt.datetime) -> int:
    """Plan the news for everybody who waits for the dates of a programme. Returns how many."""
    table = tables.interest
    rows = db.execute(
        sa.update(table)
        .where(table.c.programme_id == programme_id, table.c.told_at.is_(None))
        .values(told_at=now)
        .returning(table.c.person_id)
    ).all()
    for row in rows:
        outbox.plan(
            db, "news", Late("dates-known", {"programme": programme_id}), now=now,
            to=outbox.person_lane(row.person_id), key=f"dates:{row.person_id}:{programme_id}:{now:%Y%m%dT%H%M%S.%f}",
        )  # fmt: skip
    return len(rows)
