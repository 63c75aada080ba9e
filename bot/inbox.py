"""What came in and is not done yet: stored before it is acknowledged; it must not read what an update says.

The row is `update_id` (UNIQUE: a set, never a high-water mark), lane, time and the raw JSON, sealed, which is
emptied in the turn's commit. What cannot be handled is parked, and the lane goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.channel import Incoming
from bot.storage import tables
from bot.storage.vault import blind_index, seal, unseal

TRIES_MOST: Final = 3


@dataclass(frozen=True, slots=True)
class RawUpdate:
    """One update as it came: its id, the lane it belongs to (a chat, or chat and topic), and the JSON text.

    `incoming` is what was read of it; None when it cannot be read.
    """

    update_id: int
    lane: str
    raw: str
    incoming: Incoming | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One stored update. `tries` counts this one."""

    id: int
    update_id: int
    lane: bytes
    tries: int
    raw: str


def store(db: sa.Connection, updates: Sequence[RawUpdate], now: dt.datetime) -> int:
    """Store what came in; what is already here is left as it is. Returns how many are new."""
    new = 0
    known = set(
        db.scalars(
            sa.select(tables.inbox.c.update_id).where(
                tables.inbox.c.update_id.in_([update.update_id for update in updates])
            )
        )
    )
    for update in updates:
        if update.update_id in known:
            continue
        known.add(update.update_id)
        db.execute(
            sa.insert(tables.inbox).values(
                update_id=update.update_id,
                lane=blind_index(db, "lane", update.lane)[:8],
                received_at=now,
                state="waiting",
                raw_sealed=seal(db, update.raw),
            )
        )
        new += 1
    return new


def take(db: sa.Connection, *, busy: Collection[bytes], limit: int) -> list[Row]:
    """The next update of each lane that is not busy, its try counted (before the turn, in a commit of its own)."""
    first = (
        sa.select(sa.func.min(tables.inbox.c.id))
        .where(tables.inbox.c.state == "waiting")
        .group_by(tables.inbox.c.lane)
        .order_by(sa.func.min(tables.inbox.c.id))
        .limit(limit)
    )
    if busy:
        first = first.where(tables.inbox.c.lane.not_in(list(busy)))
    rows = db.execute(
        sa.update(tables.inbox)
        .where(tables.inbox.c.id.in_(first.scalar_subquery()))
        .values(tries=tables.inbox.c.tries + 1)
        .returning(tables.inbox)
    )
    taken = [Row(row.id, row.update_id, bytes(row.lane), row.tries, unseal(db, row.raw_sealed)) for row in rows]
    return sorted(taken, key=lambda row: row.id)


def is_waiting(db: sa.Connection, row_id: int) -> bool:
    """Whether this update is still to be done (asked inside the turn: an update has one effect). Locks the row."""
    state = db.scalar(sa.select(tables.inbox.c.state).where(tables.inbox.c.id == row_id).with_for_update())
    return state == "waiting"


def done(db: sa.Connection, row_id: int) -> None:
    """The turn is over: what the update said is emptied, its id stays."""
    db.execute(sa.update(tables.inbox).where(tables.inbox.c.id == row_id).values(state="done", raw_sealed=None))


def park(db: sa.Connection, row_id: int, fault: str) -> None:
    """Set an update aside with the kind of fault (no content); the lane goes on."""
    db.execute(sa.update(tables.inbox).where(tables.inbox.c.id == row_id).values(state="parked", fault=fault[:120]))


def counts(db: sa.Connection) -> dict[str, int]:
    """How many updates there are in each state."""
    rows = db.execute(sa.select(tables.inbox.c.state, sa.func.count()).group_by(tables.inbox.c.state))
    return {state: int(count) for state, count in rows}
