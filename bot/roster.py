"""Who comes to a session, per child, and the roster that is posted by itself in the morning; it books nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot import people, programmes, sessions
from bot.conversation import City
from bot.message import Late
from bot.outbox import STAFF_LANE, plan
from bot.programmes import Session
from bot.storage import tables

POSTED_AT: Final = dt.time(7, 30)
ORDER: Final = ("coming", "late", "silent", "unreachable", "paper", "waiting", "cannot")


@dataclass(frozen=True, slots=True)
class Line:
    """One child: `state` is coming, late, silent (no answer), unreachable, paper (no chat yet), waiting or cannot."""

    name: str
    age: int | None
    state: str


def lines(db: sa.Connection, session: Session) -> list[Line]:
    """Everybody who has, had or waits for a place in a session."""
    found = []
    for one in sessions.of_session(db, session.id, ("booked", "offered", "waiting", "cancelled", "attended")):
        if one.state == "cancelled" and one.cancelled_by not in {"person", "erased"}:
            continue
        person = people.get(db, one.person_id) if one.person_id else None
        match one.state:
            case "cancelled":
                state = "cannot"
            case "waiting" | "offered":
                state = "waiting"
            case _ if one.late_at is not None:
                state = "late"
            case _ if one.coming_at is not None:
                state = "coming"
            case _ if person is None:
                state = "paper"
            case _:
                state = "unreachable" if person.unreachable else "silent"
        found.append(Line(one.participant.name, one.participant.age, state))
    return sorted(found, key=lambda line: (ORDER.index(line.state), line.name.casefold()))


def post_due(db: sa.Connection, *, city: City, now: dt.datetime) -> int:
    """Plan today's rosters from 07:30, once per session."""
    zone = city.pack.zone
    local = now.astimezone(zone)
    midnight = dt.datetime.combine(local.date(), dt.time(), zone)
    end = midnight + dt.timedelta(days=1)
    if local.time() < POSTED_AT:
        return 0
    posted = 0
    for session in programmes.between(db, midnight, end):
        if session.ends_at <= now:
            continue
        marked = db.execute(
            sa.update(tables.session)
            .where(tables.session.c.id == session.id, tables.session.c.roster_posted_at.is_(None))
            .values(roster_posted_at=now)
        )
        if marked.rowcount and city.staff:
            key = f"roster:{session.id}:{session.version}"
            data = {"session": session.id}
            plan(db, "copy", Late("roster", data), now=now, to=STAFF_LANE, key=key, expires_at=session.ends_at)
            posted += 1
    return posted
