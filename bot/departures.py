"""Which planned deliveries leave now, and how each one ended: due, claimed, sent; it must not plan and not send.

Every row of the outbox passes here between its plan and its end. A claim is an attempt, written before the bytes leave.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot.message import After, Late, Message, opened
from bot.outbox import KINDS
from bot.storage import hot, tables
from bot.storage.vault import open_as


@dataclass(frozen=True, slots=True)
class Delivery:
    """One row of the outbox, opened."""

    id: int
    kind: str
    priority: int
    lane: str
    person_id: str | None
    case_id: int | None
    content: Message | Late
    after: After | None
    state: str
    due_at: dt.datetime
    expires_at: dt.datetime | None
    attempts: int
    copies: int


_COLUMNS: Final = (
    "id, kind, priority, lane, person_id, case_id, body_sealed, state, due_at, expires_at, attempts, copies"
)


def _due_sql(lanes: str) -> str:
    """Per priority the first rows that are due: the index leads to them past a million that are due next year."""
    one = (
        f"SELECT * FROM (SELECT {_COLUMNS} FROM outbox o WHERE state = 'planned' AND priority = {{priority}}"  # noqa: S608
        f" AND due_at <= :now AND {lanes} AND NOT EXISTS (SELECT 1 FROM outbox b WHERE b.lane = o.lane"
        " AND b.priority = o.priority AND b.state = 'planned' AND b.id < o.id AND b.attempts > 0"
        " AND NOT b.put_off)"
        " ORDER BY due_at, id LIMIT :limit) AS p{priority}"
    )
    parts = " UNION ALL ".join(one.format(priority=rule) for rule in sorted({kind.priority for kind in KINDS.values()}))
    return f"{parts} ORDER BY 3, 9, 1 LIMIT :limit"


_DUE: Final = hot.Sql(
    sqlite=_due_sql("lane NOT IN (SELECT value FROM json_each(:without))"),
    postgresql=_due_sql("lane <> ALL(CAST(:without AS text[]))"),
)


@dataclass(frozen=True, slots=True)
class Due:
    """One row that may leave, not opened: opening costs more than finding."""

    id: int
    kind: str
    priority: int
    lane: str
    row: hot.Row


def find_due(db: sa.Connection, now: dt.datetime, *, without: Collection[str] = (), limit: int = 40) -> list[Due]:
    """What may leave now, most urgent first, leaving out the lanes `without`.

    A row that was tried goes before what is behind it in its lane and priority, and holds it while it waits a moment:
    what is behind it has been due for longer.
    """
    rows = _DUE.rows(db, now=hot.at(db, now), without=hot.listed(db, without), limit=limit)
    return [Due(row[0], row[1], row[2], row[3], row) for row in rows]


def open_due(db: sa.Connection, found: Due) -> Delivery:
    """A found row with what it says."""
    return _opened(db, found.row)


def due(
    db: sa.Connection, now: dt.datetime, *, without: Collection[str] = (), limit: int = 40
) -> list[Delivery]:
    """The same, opened."""
    return [open_due(db, found) for found in find_due(db, now, without=without, limit=limit)]


_NEXT_OF_LANE: Final = hot.Sql(
    f"SELECT {_COLUMNS} FROM outbox WHERE lane = :lane AND priority = :priority AND state = 'planned'"  # noqa: S608
    " AND id > :id AND due_at <= :now ORDER BY id LIMIT :limit"
)


def next_of_lane(db: sa.Connection, after: Delivery, now: dt.datetime, *, limit: int = 30) -> list[Delivery]:
    """What is due behind a delivery in its lane, of the same priority, in order."""
    rows = _NEXT_OF_LANE.rows(
        db, lane=after.lane, priority=after.priority, id=after.id, now=hot.at(db, now), limit=limit
    )
    return [_opened(db, row) for row in rows]


_UNFINISHED: Final = hot.Sql(f"SELECT {_COLUMNS} FROM outbox WHERE state = 'sending' ORDER BY id")  # noqa: S608


def unfinished(db: sa.Connection) -> list[Delivery]:
    """Rows that were on their way when the process stopped: their outcome is not known."""
    return [_opened(db, row) for row in _UNFINISHED.rows(db)]


def _first_due(also: str) -> hot.Sql:
    """Per priority the first row: one look into the index each, whatever lies behind."""
    one = "SELECT MIN(due_at) AS at FROM outbox WHERE state = 'planned' AND priority = "
    parts = " UNION ALL ".join(f"{one}{rule} {also}" for rule in sorted({kind.priority for kind in KINDS.values()}))
    return hot.Sql(f"SELECT MIN(at) FROM ({parts}) AS firsts")  # noqa: S608 (numbers of our own table)


_NEXT_DUE: Final = _first_due("")
_NEXT_AFTER: Final = _first_due("AND due_at > :now")


def next_due(db: sa.Connection) -> dt.datetime | None:
    """When the next planned row is due."""
    row = _NEXT_DUE.first(db)
    return None if row is None else hot.when(row[0])


def next_after(db: sa.Connection, now: dt.datetime) -> dt.datetime | None:
    """When the next row that is not due yet will be."""
    row = _NEXT_AFTER.first(db, now=hot.at(db, now))
    return None if row is None else hot.when(row[0])


_CLAIM: Final = "UPDATE outbox SET state = 'sending', attempts = attempts + 1, attempted_at = :now, lease = :lease"
_CLAIM_THESE: Final = hot.Sql(
    sqlite=_CLAIM + " WHERE id IN (SELECT value FROM json_each(:ids)) AND state = 'planned' RETURNING id",  # noqa: S608 (our own words)
    postgresql=_CLAIM + " WHERE id = ANY(CAST(:ids AS bigint[])) AND state = 'planned' RETURNING id",
)


def claim(db: sa.Connection, delivery_ids: Collection[int], now: dt.datetime, lease: int = 0) -> set[int]:
    """Mark the attempts, before the bytes leave, under this lease. Returns which; the others are somebody else's."""
    return {row[0] for row in _CLAIM_THESE.rows(db, ids=hot.listed(db, delivery_ids), now=hot.at(db, now), lease=lease)}


_TAKE_BACK: Final = "UPDATE outbox SET state = 'planned' WHERE state = 'sending' AND lease = :lease AND "
_TAKE_BACK_OTHERS: Final = hot.Sql(
    sqlite=_TAKE_BACK + "lane NOT IN (SELECT value FROM json_each(:lanes))",  # noqa: S608 (our own words)
    postgresql=_TAKE_BACK + "lane <> ALL(CAST(:lanes AS text[]))",
)


def take_back(db: sa.Connection, lease: int, lanes: Collection[str]) -> int:
    """Claims under this lease outside of `lanes`, where something is on its way, are planned again.

    For who does not know whether a claim was committed: no byte of such a delivery has left. Returns how many.
    """
    return _TAKE_BACK_OTHERS.do(db, lease=lease, lanes=hot.listed(db, lanes))


_OURS: Final = hot.Sql(
    sqlite="SELECT 1 FROM outbox WHERE id = :id AND state = 'sending' AND lease = :lease",
    postgresql="SELECT 1 FROM outbox WHERE id = :id AND state = 'sending' AND lease = :lease FOR UPDATE",
)


_SENT: Final = (
    "UPDATE outbox SET state = 'sent', sent_at = :now, message_id = NULLIF(CAST(s.value AS bigint), 0), fault = NULL,"
    " body_sealed = NULL FROM {pairs} s"
    " WHERE outbox.id = CAST(s.key AS bigint) AND outbox.state = 'sending' AND outbox.lease = :lease"
)
_SENT_THESE: Final = hot.Sql(
    sqlite=_SENT.format(pairs="json_each(:sent)"), postgresql=_SENT.format(pairs="json_each_text(CAST(:sent AS json))")
)


def mark_sent(db: sa.Connection, sent: Mapping[int, int], lease: int, now: dt.datetime) -> None:
    """They have arrived (delivery → message id, 0 where there is none), and nothing follows from it."""
    _SENT_THESE.do(db, sent=json.dumps(sent), lease=lease, now=hot.at(db, now))


def is_ours(db: sa.Connection, delivery_id: int, lease: int) -> bool:
    """Whether this row is still on its way under this lease; otherwise its outcome is somebody else's to store."""
    return _OURS.first(db, id=delivery_id, lease=lease) is not None


_FINISH: Final = hot.Sql(
    "UPDATE outbox SET state = :state, sent_at = :sent_at, message_id = :message_id, fault = :fault,"
    " body_sealed = CASE WHEN :keep = 1 THEN body_sealed ELSE NULL END WHERE id = :id"
)


def finish(
    db: sa.Connection, delivery_id: int, state: str, *, now: dt.datetime, message_id: int = 0, fault: str = ""
) -> None:
    """Store how it ended (sent, refused, uncertain, expired, cancelled); what was said is emptied."""
    _FINISH.do(
        db, id=delivery_id, state=state, sent_at=hot.at(db, now if state == "sent" else None),
        message_id=message_id or None, fault=fault or None, keep=1 if state == "uncertain" else 0,
    )  # fmt: skip


def put_off(
    db: sa.Connection, delivery_id: int, until: dt.datetime, *, now: dt.datetime, fault: str, unknown: bool = False,
    aside: bool = False,
) -> None:  # fmt: skip
    """Planned again, not before `until`. More than 5 s away, or set `aside`, it lets what is behind it go first."""
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id == delivery_id)
        .values(
            state="planned",
            due_at=until,
            put_off=aside or until - now > dt.timedelta(seconds=5),
            fault=fault,
            copies=tables.outbox.c.copies + (1 if unknown else 0),
        )
    )


def _opened(db: sa.Connection, row: hot.Row) -> Delivery:
    """A row of `_COLUMNS`, with what it says."""
    content, after = open_as(db, row[6], opened)
    due_at = hot.when(row[8])
    assert due_at is not None  # noqa: S101 (the column is NOT NULL)
    return Delivery(
        id=row[0], kind=row[1], priority=row[2], lane=row[3], person_id=row[4], case_id=row[5], content=content,
        after=after, state=row[7], due_at=due_at,
        expires_at=hot.when(row[9]), attempts=row[10], copies=row[11],
    )  # fmt: skip
