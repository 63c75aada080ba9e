"""Cases: what was handed to staff, who has it, what was said; it must plan no message.

A newcomer has at most one case that is not closed. Claims are taken by a conditional UPDATE: one wins.
`closed_by` = person on a case that is not closed: it is urgent, and the newcomer went back to the bot.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import hot, tables
from bot.storage.vault import seal, unseal

LIVE: Final = ("open", "claimed", "answered")
REOPENS_WITHIN: Final = dt.timedelta(days=7)
_CASE: Final = tables.case
_ENTRY: Final = tables.case_entry


@dataclass(frozen=True, slots=True)
class Case:
    """Something handed to staff. `kind` is question, homeless, complaint, or a kind of danger."""

    id: int
    person_id: str | None
    state: str
    urgent: bool
    kind: str
    language: str
    topic: str | None
    thread: int | None
    card_message_id: int | None
    claimed_by: str | None
    opened_at: dt.datetime
    acknowledged_at: dt.datetime | None
    promised_at: dt.datetime | None
    answered_at: dt.datetime | None
    closed_at: dt.datetime | None
    alerted_at: dt.datetime | None
    alerts: int
    not_meant: bool
    closed_by: str | None

    @property
    def title(self) -> str:
        """The name of its topic: a short id and the language, marked when urgent or closed."""
        mark = "✅ " if self.state == "closed" else "🔴 " if self.urgent else ""
        return f"{mark}#{self.id} {self.language}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was said in a case. `who` is newcomer, staff or before (what the bot had answered)."""

    id: int
    case_id: int
    who: str
    words: str
    at: dt.datetime
    topic_message_id: int | None
    chat_message_id: int | None
    state: str


def _case(row: Any) -> Case:
    return Case(**{name: getattr(row, name) for name in Case.__dataclass_fields__})


def get(db: sa.Connection, case_id: int, *, lock: bool = False) -> Case | None:
    """One case."""
    query = sa.select(_CASE).where(_CASE.c.id == case_id)
    row = db.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _case(row)


def open_of(db: sa.Connection, person_id: str) -> Case | None:
    """The case in which a newcomer is writing: not closed, and they did not go back to the bot."""
    case = live_of(db, person_id)
    return case if case is not None and case.closed_by is None else None


_LIVE_ID: Final = hot.Sql(
    "SELECT id FROM \"case\" WHERE person_id = :person_id AND state IN ('open', 'claimed', 'answered')"
    " ORDER BY id DESC LIMIT 1"
)


def live_of(db: sa.Connection, person_id: str) -> Case | None:
    """The case of a newcomer that is not closed, also an urgent one from which they went back to the bot."""
    found = _LIVE_ID.first(db, person_id=person_id)
    return None if found is None else get(db, found[0])


_LAST_CLOSED: Final = hot.Sql(
    "SELECT id, closed_by, closed_at FROM \"case\" WHERE person_id = :person_id AND state = 'closed'"
    " ORDER BY closed_at DESC LIMIT 1"
)


def lately_closed(db: sa.Connection, person_id: str, now: dt.datetime) -> Case | None:
    """A newcomer's case that staff closed within the last seven days, when no later one was closed by themselves."""
    found = _LAST_CLOSED.first(db, person_id=person_id)
    if found is None or found[1] != "staff":
        return None
    closed_at = hot.when(found[2])
    return get(db, found[0]) if closed_at is not None and now - closed_at <= REOPENS_WITHIN else None


def by_thread(db: sa.Connection, thread: int) -> Case | None:
    """The case whose topic this is."""
    row = db.execute(sa.select(_CASE).where(_CASE.c.thread == thread).order_by(_CASE.c.id.desc())).first()
    return None if row is None else _case(row)


def all_open(db: sa.Connection) -> list[Case]:
    """Every case that is not closed, urgent ones first."""
    rows = db.execute(sa.select(_CASE).where(_CASE.c.state.in_(LIVE)).order_by(_CASE.c.urgent.desc(), _CASE.c.id))
    return [_case(row) for row in rows]


def of_person(db: sa.Connection, person_id: str) -> list[Case]:
    """Every case of a newcomer."""
    rows = db.execute(sa.select(_CASE).where(_CASE.c.person_id == person_id).order_by(_CASE.c.id))
    return [_case(row) for row in rows]


def make(
    db: sa.Connection, person_id: str, *, kind: str, urgent: bool, language: str, topic: str | None,
    promised_at: dt.datetime | None, now: dt.datetime,
) -> Case:  # fmt: skip
    """A new case."""
    row = db.execute(
        sa.insert(_CASE)
        .values(
            person_id=person_id, state="open", urgent=urgent, kind=kind, language=language, topic=topic, opened_at=now,
            promised_at=promised_at,
        )
        .returning(_CASE)
    ).one()  # fmt: skip
    return _case(row)


def change(db: sa.Connection, case_id: int, **values: Any) -> None:
    """Write columns of a case."""
    db.execute(sa.update(_CASE).where(_CASE.c.id == case_id).values(**values))


def claim(db: sa.Connection, case_id: int, person_id: str, now: dt.datetime) -> bool:
    """Take a case that nobody has; False when somebody else was first."""
    taken = db.execute(
        sa.update(_CASE)
        .where(_CASE.c.id == case_id, _CASE.c.claimed_by.is_(None), _CASE.c.state.in_(LIVE))
        .values(
            claimed_by=person_id, claimed_at=now,
            state=sa.case((_CASE.c.state == "open", "claimed"), else_=_CASE.c.state),
        )
    )  # fmt: skip
    return bool(taken.rowcount)


def hand_back(db: sa.Connection, case_id: int, person_id: str) -> bool:
    """Give a case back to the group; False when one does not have it."""
    back = db.execute(
        sa.update(_CASE)
        .where(_CASE.c.id == case_id, _CASE.c.claimed_by == person_id)
        .values(
            claimed_by=None, claimed_at=None, state=sa.case((_CASE.c.state == "claimed", "open"), else_=_CASE.c.state)
        )
    )
    return bool(back.rowcount)


def acknowledge(db: sa.Connection, case_id: int, now: dt.datetime) -> bool:
    """Somebody has seen an urgent case; False when that was known."""
    seen = db.execute(
        sa.update(_CASE).where(_CASE.c.id == case_id, _CASE.c.acknowledged_at.is_(None)).values(acknowledged_at=now)
    )
    return bool(seen.rowcount)


def close(db: sa.Connection, case_id: int, by: str, now: dt.datetime) -> bool:
    """Close a case (by staff, person or erased); False when it was."""
    closed = db.execute(
        sa.update(_CASE)
        .where(_CASE.c.id == case_id, _CASE.c.state.in_(LIVE))
        .values(state="closed", closed_at=now, closed_by=by, promised_at=None)
    )
    return bool(closed.rowcount)


def unacknowledged(db: sa.Connection) -> list[Case]:
    """Urgent cases that nobody has seen yet."""
    rows = db.execute(
        sa.select(_CASE).where(
            _CASE.c.urgent.is_(sa.true()), _CASE.c.acknowledged_at.is_(None), _CASE.c.state.in_(LIVE)
        )
    )
    return [_case(row) for row in rows]


def promises_due(db: sa.Connection, now: dt.datetime) -> list[Case]:
    """Cases whose promise is over without an answer."""
    rows = db.execute(
        sa.select(_CASE).where(
            _CASE.c.state.in_(("open", "claimed")), _CASE.c.promised_at.is_not(None), _CASE.c.promised_at <= now
        )
    )
    return [_case(row) for row in rows]


# --- what was said ------------------------------------------------------------------------------------------------


def add_entry(
    db: sa.Connection, case_id: int, who: str, words: str, now: dt.datetime, *, topic_message_id: int | None = None,
    chat_message_id: int | None = None, state: str = "",
) -> int:  # fmt: skip
    """Keep what was said, sealed; returns its id."""
    row = db.execute(
        sa.insert(_ENTRY)
        .values(
            case_id=case_id, who=who, words_sealed=seal(db, words), at=now, topic_message_id=topic_message_id,
            chat_message_id=chat_message_id, state=state,
        )
        .returning(_ENTRY.c.id)
    )  # fmt: skip
    return int(row.scalar_one())


def _entry(db: sa.Connection, row: Any) -> Entry:
    return Entry(
        row.id, row.case_id, row.who, unseal(db, row.words_sealed), row.at, row.topic_message_id, row.chat_message_id,
        row.state,
    )  # fmt: skip


def entry(db: sa.Connection, entry_id: int) -> Entry | None:
    """One entry."""
    row = db.execute(sa.select(_ENTRY).where(_ENTRY.c.id == entry_id)).first()
    return None if row is None else _entry(db, row)


def entry_of_message(db: sa.Connection, case_id: int, topic_message_id: int) -> Entry | None:
    """What a message in the topic became."""
    row = db.execute(
        sa.select(_ENTRY).where(_ENTRY.c.case_id == case_id, _ENTRY.c.topic_message_id == topic_message_id)
    ).first()
    return None if row is None else _entry(db, row)


def entries(db: sa.Connection, case_id: int) -> list[Entry]:
    """All that was said in a case, in order."""
    rows = db.execute(sa.select(_ENTRY).where(_ENTRY.c.case_id == case_id).order_by(_ENTRY.c.id))
    return [_entry(db, row) for row in rows]


def change_entry(db: sa.Connection, entry_id: int, *, words: str | None = None, **values: Any) -> None:
    """Write columns of an entry."""
    if words is not None:
        values["words_sealed"] = seal(db, words)
    db.execute(sa.update(_ENTRY).where(_ENTRY.c.id == entry_id).values(**values))
