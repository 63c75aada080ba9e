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

from bot import failpoints
from bot.channel import Incoming
from bot.storage import hot
from bot.storage.vault import blind_index, seal, unseal

TRIES_MOST: Final = 3
DEATHS_MOST: Final = 6
"""Times that the process may end with an update at work: more than failed turns, for it may have ended by chance."""

STALE: Final = dt.timedelta(seconds=5)
"""A turn that began so long ago and is not done: its process has probably died, another one may take it."""


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
    """One stored update. `tries` counts this one; `done`: it was stored as done, in the commit of its turn."""

    id: int
    update_id: int
    lane: bytes
    tries: int
    raw: str = ""
    incoming: Incoming | None = None
    done: bool = False


def lane_index(db: sa.Connection, lane: str) -> bytes:
    """A lane as it is stored: a keyed hash, for a chat's id is personal."""
    return blind_index(db, "lane", lane)[:8]


_ARRIVE = hot.Sql(
    "INSERT INTO inbox (update_id, lane, received_at, state, tries, taken_at, raw_sealed) VALUES"
    " (:update_id, :lane, :now,"
    " CASE WHEN EXISTS (SELECT 1 FROM inbox WHERE lane = :lane AND state = 'waiting') THEN 'waiting' ELSE :state END,"
    " CASE WHEN EXISTS (SELECT 1 FROM inbox WHERE lane = :lane AND state = 'waiting') THEN 0 ELSE :tries END,"
    " :taken_at, :raw)"
    " ON CONFLICT (update_id) DO NOTHING RETURNING id, state, tries"
)
_KEEP_RAW = hot.Sql("UPDATE inbox SET raw_sealed = :raw, taken_at = NULL WHERE id = :id")
_NOT_TAKEN = hot.Sql("UPDATE inbox SET taken_at = NULL WHERE id = :id")


def store(db: sa.Connection, updates: Sequence[RawUpdate], now: dt.datetime) -> int:
    """Store what came in; what is already here is left as it is. Returns how many are new."""
    new = sum(arrive(db, update, now, begin=False) is not None for update in updates)
    failpoints.at("inbox.storing")
    return new


def arrive(db: sa.Connection, update: RawUpdate, now: dt.datetime, *, begin: bool) -> Row | None:
    """Store one update; None if it is already here.

    `begin`: its turn begins right after the commit, unless others wait in its lane; the try is then counted here
    (`tries` is 1, otherwise 0): an update that kills the process is not tried for ever.
    """
    lane = lane_index(db, update.lane)
    found = _ARRIVE.first(
        db, update_id=update.update_id, lane=lane, now=hot.at(db, now), state="waiting", tries=1 if begin else 0,
        taken_at=hot.at(db, now) if begin else None, raw=seal(db, update.raw),
    )  # fmt: skip
    if found is None:
        return None
    if begin and not found[2]:
        _NOT_TAKEN.do(db, id=found[0])
    return Row(found[0], update.update_id, lane, found[2], update.raw, update.incoming)


def enter(db: sa.Connection, update: RawUpdate, now: dt.datetime) -> Row | None:
    """Store one update as done, in the transaction of its turn; None if it is already here.

    `done` is False when others wait in its lane: it then waits too, and there must be no turn now.
    """
    lane = lane_index(db, update.lane)
    free = lock_lane(db, lane)
    found = _ARRIVE.first(
        db, update_id=update.update_id, lane=lane, now=hot.at(db, now), state="done" if free else "waiting", tries=0,
        taken_at=None, raw=None,
    )  # fmt: skip
    if found is None:
        return None
    if found[1] == "waiting":
        _KEEP_RAW.do(db, id=found[0], raw=seal(db, update.raw))
    return Row(found[0], update.update_id, lane, 1, update.raw, update.incoming, done=found[1] == "done")


# i.state is asked again: PostgreSQL looks at a row that was changed meanwhile, but not at the subquery before it,
# and would take what another process has just done. https://www.postgresql.org/docs/current/transaction-iso.html
_TAKE = hot.Sql(
    sqlite="UPDATE inbox SET tries = tries + 1, taken_at = :now WHERE id IN ("
    " SELECT i.id FROM (SELECT lane, MIN(update_id) AS first FROM inbox WHERE state = 'waiting' GROUP BY lane) f"
    " JOIN inbox i ON i.update_id = f.first"
    " WHERE (i.taken_at IS NULL OR i.taken_at < :stale) AND i.id NOT IN (SELECT value FROM json_each(:busy))"
    " AND i.tries BETWEEN :least AND :most"
    " ORDER BY i.id LIMIT :limit) RETURNING id, update_id, lane, tries, raw_sealed",
    postgresql="UPDATE inbox SET tries = tries + 1, taken_at = :now WHERE id IN ("
    " SELECT i.id FROM (SELECT lane, MIN(update_id) AS first FROM inbox WHERE state = 'waiting' GROUP BY lane) f"
    " JOIN inbox i ON i.update_id = f.first"
    " WHERE i.state = 'waiting' AND (i.taken_at IS NULL OR i.taken_at < :stale)"
    " AND i.id <> ALL(CAST(:busy AS bigint[]))"
    " AND i.tries BETWEEN :least AND :most"
    " ORDER BY i.id LIMIT :limit FOR UPDATE OF i SKIP LOCKED)"
    " RETURNING id, update_id, lane, tries, raw_sealed",
)


def take(
    db: sa.Connection, now: dt.datetime, *, limit: int, busy: Collection[int] = (), stale: dt.datetime | None = None,
    suspects: bool = True,
) -> list[Row]:  # fmt: skip
    """The next update of each lane that nobody works at, its try counted (in a commit of its own, before the turn).

    What was tried before is a suspect, and taken one at a time: a process that dies with many at work is not the fault
    of each of them. `suspects`: whether one may be taken now. `busy`: rows this process works at. `stale`: turns that
    began before are taken again (default: `STALE` ago).
    """
    values = {"now": hot.at(db, now), "stale": hot.at(db, stale or now - STALE), "busy": hot.listed(db, busy)}
    taken = [
        Row(row[0], row[1], bytes(row[2]), row[3], unseal(db, row[4]))
        for least, most, count in ((0, 0, limit), (1, 2**31, 1 if suspects else 0)) if count
        for row in _TAKE.rows(db, limit=count, least=least, most=most, **values)
    ]  # fmt: skip
    return sorted(taken, key=lambda row: row.id)


_WAITING_OF_LANE = hot.Sql(
    "SELECT id, update_id, tries, raw_sealed FROM inbox WHERE lane = :lane AND state = 'waiting'"
    " ORDER BY update_id LIMIT :limit"
)


def waiting_of_lane(db: sa.Connection, lane: bytes, limit: int) -> list[Row]:
    """What waits in a lane, in its order."""
    rows = _WAITING_OF_LANE.rows(db, lane=lane, limit=limit)
    return [Row(row[0], row[1], lane, row[2], unseal(db, row[3])) for row in rows]


_LOCK_LANE = hot.Sql("SELECT 1 FROM lane WHERE lane = :lane FOR UPDATE SKIP LOCKED")
_MAKE_LANE = hot.Sql("INSERT INTO lane (lane) VALUES (:lane) ON CONFLICT (lane) DO NOTHING")


def lock_lane(db: sa.Connection, lane: bytes) -> bool:
    """Hold the lane until the transaction ends; False if another process holds it. SQLite has one process."""
    return hot.is_sqlite(db) or _LOCK_LANE.first(db, lane=lane) is not None or _MAKE_LANE.do(db, lane=lane) == 1


_FIRST = hot.Sql("SELECT id FROM inbox WHERE lane = :lane AND state = 'waiting' ORDER BY update_id LIMIT 1")


def is_next(db: sa.Connection, row: Row) -> bool:
    """Whether this update is to be done now: it waits, nothing before it waits, and nobody else is at its lane.

    Asked inside the turn: an update has one effect. Holds the lane.
    """
    if not lock_lane(db, row.lane):
        return False
    first = _FIRST.first(db, lane=row.lane)
    return first is not None and first[0] == row.id


_STATE = hot.Sql("SELECT state FROM inbox WHERE id = :id")


def is_waiting(db: sa.Connection, row_id: int) -> bool:
    """Whether this update is still to be done."""
    return _STATE.first(db, id=row_id) == ("waiting",)


_DONE = hot.Sql("UPDATE inbox SET state = 'done', raw_sealed = NULL, taken_at = NULL WHERE id = :id")


def done(db: sa.Connection, row_id: int) -> None:
    """The turn is over: what the update said is emptied, its id stays."""
    _DONE.do(db, id=row_id)


def give_back(db: sa.Connection, row_id: int) -> None:
    """The turn failed: it may be taken again at once."""
    _NOT_TAKEN.do(db, id=row_id)


_NOT_BEGUN = hot.Sql("UPDATE inbox SET taken_at = NULL, tries = tries - 1 WHERE id = :id AND tries > 0")


def not_begun(db: sa.Connection, row_id: int) -> None:
    """The turn could not be made, somebody else is at its lane: it may be taken again, and this was no try."""
    _NOT_BEGUN.do(db, id=row_id)


_PARK = hot.Sql("UPDATE inbox SET state = 'parked', fault = :fault WHERE id = :id AND state = 'waiting'")


def park(db: sa.Connection, row_id: int, fault: str) -> bool:
    """Set an update aside with the kind of fault (no content); the lane goes on. False if it waits no more."""
    return _PARK.do(db, id=row_id, fault=fault[:120]) == 1


_WAITING = hot.Sql("SELECT COUNT(*), MIN(received_at) FROM inbox WHERE state = 'waiting'")
_PARKED = hot.Sql("SELECT COUNT(*) FROM inbox WHERE state = 'parked'")


def counts(db: sa.Connection) -> dict[str, int]:
    """How many updates wait, and how many are parked."""
    waiting, parked = _WAITING.first(db), _PARKED.first(db)
    return {"waiting": int(waiting[0]) if waiting else 0, "parked": int(parked[0]) if parked else 0}
