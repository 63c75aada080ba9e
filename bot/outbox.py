"""What is on its way out: the rows that hold messages until the channel has them.

Everything a person sees is planned here, in the transaction that decided it, and leaves after the commit. This
module plans, supersedes and cancels; it must not claim or send, and it must not know what a message means.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import sqlalchemy as sa

from bot.message import After, Late, Message, dump
from bot.storage import hot, tables
from bot.storage.vault import seal

Unknown = Literal["again", "ask", "once", "never"]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of delivery is treated (docs/decisions/0005-delivery.md)."""

    priority: int
    unknown: Unknown  # after an unknown outcome
    copies: int  # at most so many attempts with an unknown outcome (0: without end)
    lives: dt.timedelta | None = None  # after which it has expired; None: until its own expires_at, or never
    held: bool = False  # waits until 08:00 when it would arrive between 21:00 and 08:00


KINDS: Final[Mapping[str, Kind]] = {
    "card": Kind(1, "again", 3),
    "alert": Kind(1, "again", 0),
    "reply": Kind(2, "ask", 1),
    "copy": Kind(2, "once", 2),
    "answer": Kind(3, "once", 2, lives=dt.timedelta(hours=1)),
    "change": Kind(4, "once", 2, held=True),
    "reminder": Kind(5, "once", 2),
    "news": Kind(6, "never", 1, lives=dt.timedelta(hours=24), held=True),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a delivery ended: state is sent, refused, uncertain, expired or cancelled; what the channel gave back."""

    state: str
    message_id: int = 0
    thread: int | None = None


def person_lane(person_id: str) -> str:
    """The lane of one newcomer's chat."""
    return f"person:{person_id}"


def case_lane(case_id: int) -> str:
    """The lane of one case's topic in the staff group."""
    return f"case:{case_id}"


STAFF_LANE: Final = "staff"
"""The staff group's general topic."""


_PLAN: Final = hot.Sql(
    "INSERT INTO outbox (kind, priority, lane, person_id, case_id, key, body_sealed, state, due_at, expires_at,"
    " planned_at, attempts, copies, put_off) VALUES (:kind, :priority, :lane, :person_id, :case_id, :key, :body,"
    " 'planned', :due_at, :expires_at, :planned_at, 0, 0, FALSE) ON CONFLICT (key) DO NOTHING RETURNING id"
)


def plan(
    db: sa.Connection,
    kind: str,
    content: Message | Late,
    *,
    now: dt.datetime,
    to: str,
    case_id: int | None = None,
    key: str | None = None,
    due_at: dt.datetime | None = None,
    expires_at: dt.datetime | None = None,
    after: After | None = None,
) -> int | None:
    """Plan one delivery to a lane: `person_lane(id)`, `case_lane(id)` or STAFF_LANE.

    `key` makes it unique: planned a second time it adds nothing and None is returned; otherwise the row's id.
    """
    rule = KINDS[kind]
    due = due_at or now
    if expires_at is None and rule.lives is not None:
        expires_at = due + rule.lives
    # What is due now leaves in a moment, and is not read again; a late one may find another world.
    means = (content, after) if isinstance(content, Message) and due_at is None else None
    row = _PLAN.first(
        db, kind=kind, priority=rule.priority, lane=to,
        person_id=to.removeprefix("person:") if to.startswith("person:") else None,
        case_id=int(to.removeprefix("case:")) if to.startswith("case:") else case_id,
        key=key, body=seal(db, dump(content, after), means), due_at=hot.at(db, due), expires_at=hot.at(db, expires_at),
        planned_at=hot.at(db, now),
    )  # fmt: skip
    return None if row is None else int(row[0])


def supersede(db: sa.Connection, *, keys: Collection[str], state: str = "superseded") -> int:
    """Planned rows with these keys will not leave; their keys stay taken. Returns how many."""
    if not keys:
        return 0
    rows = db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.key.in_(list(keys)), tables.outbox.c.state == "planned")
        .values(state=state, body_sealed=None)
    )
    return rows.rowcount


def cancel(db: sa.Connection, delivery_ids: Collection[int]) -> int:
    """Planned rows that will not leave after all. Returns how many were still here."""
    if not delivery_ids:
        return 0
    rows = db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.id.in_(list(delivery_ids)), tables.outbox.c.state == "planned")
        .values(state="cancelled", body_sealed=None)
    )
    return rows.rowcount


def planned_keys(db: sa.Connection, person_id: str, kind: str) -> dict[str, dt.datetime]:
    """The keys of a person's planned deliveries of a kind, and when they are due."""
    rows = db.execute(
        sa.select(tables.outbox.c.key, tables.outbox.c.due_at).where(
            tables.outbox.c.person_id == person_id,
            tables.outbox.c.kind == kind,
            tables.outbox.c.state == "planned",
            tables.outbox.c.key.is_not(None),
        )
    )
    return {row.key: row.due_at for row in rows}


@dataclass(frozen=True, slots=True)
class Near:
    """A delivery that is due about when another is."""

    key: str
    left: bool  # sent, or perhaps sent, when the other was planned already


def near(db: sa.Connection, key: str, within: dt.timedelta) -> tuple[list[Near], list[Near]]:
    """Deliveries of one kind to one person due at most `within` before and after the one with this key, in order."""
    box = tables.outbox.c
    mine = db.execute(sa.select(tables.outbox).where(box.key == key)).one_or_none()
    if mine is None:
        return [], []
    rows = db.execute(
        sa.select(box.id, box.key, box.state, box.due_at, box.attempted_at)
        .where(box.person_id == mine.person_id, box.kind == mine.kind, box.id != mine.id, box.key.is_not(None))
        .where(box.due_at.between(mine.due_at - within, mine.due_at + within))
        .order_by(box.due_at, box.id)
    ).all()
    found: tuple[list[Near], list[Near]] = [], []
    for row in rows:
        left = row.state in {"sending", "sent", "uncertain"} and row.attempted_at >= mine.planned_at
        found[(row.due_at, row.id) > (mine.due_at, mine.id)].append(Near(row.key, left))
    return found


def known_keys(db: sa.Connection, keys: Collection[str]) -> set[str]:
    """Which of these keys are taken, whatever became of their rows."""
    if not keys:
        return set()
    return set(db.scalars(sa.select(tables.outbox.c.key).where(tables.outbox.c.key.in_(list(keys)))))
