"""Books, cancels and moves together with what reminds of it; the only way to move a session.

Reminders are rows of the outbox, planned in the transaction of the booking; the tick repairs. One reminder per
person and session names all her children in it. Rules: docs/decisions/0006-time.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot import interest, outbox, people, programmes, sessions
from bot.conversation import City
from bot.message import Late
from bot.outbox import person_lane, plan
from bot.programmes import Programme, Session
from bot.quiet import evening_before
from bot.sessions import Booking

APART: Final = dt.timedelta(hours=12)
TOGETHER: Final = dt.timedelta(minutes=90)
"""What is due within one evening (19:00 to 20:30) is said in one message."""
AHEAD: Final = dt.timedelta(days=8)
"""How far ahead the repair looks: further than the longest lead time."""


def times(
    start: dt.datetime, zone: ZoneInfo, *, week: bool, day: int, hours: int, now: dt.datetime
) -> list[tuple[str, dt.datetime]]:
    """When to remind of a session that starts at `start`: (name, instant), in order of time.

    `week`: also seven days before; `day` and `hours`: hours before (0: none). A time in the quiet hours moves to the
    evening before; of two less than 12 hours apart the later stays; what is past, or not before the start, falls away.
    """
    leads = [("week", dt.timedelta(days=7) if week else None)]
    leads += [(name, dt.timedelta(hours=lead) if lead else None) for name, lead in (("day", day), ("hours", hours))]
    wanted = [(name, evening_before(start - lead, zone)) for name, lead in leads if lead is not None]
    kept: list[tuple[str, dt.datetime]] = []
    for name, at in sorted(wanted, key=lambda one: one[1], reverse=True):
        if now < at < start and all(other - at >= APART for _, other in kept):
            kept.append((name, at))
    return kept[::-1]


def _key(person_id: str, session: Session, name: str) -> str:
    return f"reminder:{person_id}:{session.id}:{session.version}:{name}"


def _named(key: str) -> dict[str, Any]:
    """What a key of `_key` is about, as a reminder's data."""
    _, person_id, session_id, version, name = key.split(":")
    return {"person": person_id, "session": int(session_id), "version": int(version), "lead": name}


def plan_reminders(db: sa.Connection, person_id: str, session: Session, city: City, now: dt.datetime) -> None:
    """Plan what is missing for one person and session; planning twice adds nothing."""
    programme = programmes.of_session(db, session)
    mine = sessions.own(db, person_id, now, programme_id=programme.id)
    first = min((one.session.starts_at for one in mine), default=session.starts_at)
    found = times(
        session.starts_at, city.pack.zone, week=programme.remind_week and session.starts_at <= first,
        day=programme.remind_day, hours=programme.remind_hours, now=now,
    )  # fmt: skip
    for name, at in found:
        plan(
            db, "reminder",
            Late("reminder", {"person": person_id, "session": session.id, "version": session.version, "lead": name}),
            now=now, to=person_lane(person_id), key=_key(person_id, session, name), due_at=at,
            expires_at=session.starts_at,
        )  # fmt: skip


def book(
    db: sa.Connection, person_id: str, participant_ids: Sequence[int], chosen: Sequence[Session], *, city: City,
    now: dt.datetime,
) -> dict[tuple[int, int], str]:  # fmt: skip
    """Places for these participants in these sessions: (participant, session) → booked, waiting, or "already …"."""
    people.lock(db, person_id)
    states: dict[tuple[int, int], str] = {}
    for session in chosen:
        for participant_id in participant_ids:
            state, new = sessions.book(db, person_id, participant_id, session, now)
            states[participant_id, session.id] = state if new else f"already {state}"
    for session in chosen:
        if any(state == "booked" for (_, number), state in states.items() if number == session.id):
            plan_reminders(db, person_id, session, city, now)
    return states


def cancel(db: sa.Connection, bookings: Sequence[Booking], by: str, *, city: City, now: dt.datetime) -> None:
    """Give places up; who gets one instead is told and reminded. Reminders re-check at delivery who is still booked."""
    for one in bookings:
        for got in sessions.release(db, one, by, now):
            if got.person_id is not None:
                plan_reminders(db, got.person_id, got.session, city, now)


def accept(db: sa.Connection, booking: Booking, *, city: City, now: dt.datetime) -> bool:
    """Say yes to an offered place; False when it is over."""
    if not sessions.accept_offer(db, booking, now):
        return False
    if booking.person_id is not None:
        plan_reminders(db, booking.person_id, booking.session, city, now)
    return True


def expire_offers(db: sa.Connection, *, city: City, now: dt.datetime) -> int:
    """Offers nobody answered go to the next. Returns how many ended."""
    ended = sessions.expired_offers(db, now)
    cancel(db, ended, "unanswered", city=city, now=now)
    return len(ended)


def release_person(db: sa.Connection, person_id: str, *, city: City, now: dt.datetime, by: str = "erased") -> int:
    """Give up all places of a person, for whom others wait. Returns how many."""
    found = sessions.own(db, person_id, now)
    cancel(db, found, by, city=city, now=now)
    return len(found)


# --- staff change a session ---------------------------------------------------------------------------------------


def who_knows(db: sa.Connection, session_id: int) -> list[str]:
    """The persons who know the time of a session: they have or wait for a place."""
    found = sessions.of_session(db, session_id, ("booked", "offered", "waiting"))
    return sorted({one.person_id for one in found if one.person_id is not None})


def _drop(db: sa.Connection, person_id: str, session: Session) -> None:
    outbox.supersede(db, keys=[_key(person_id, session, name) for name in ("week", "day", "hours")])


def _unsaid_move(db: sa.Connection, person_id: str, session_id: int) -> str | None:
    """Take back a move that was not said yet; the local start that she still believes in, None if there is no such."""
    mine = [key for key in outbox.planned_keys(db, person_id, "change") if key.startswith(f"moved:{session_id}:")]
    outbox.supersede(db, keys=mine)
    oldest = min(mine, key=lambda key: int(key.split(":")[2]), default=None)
    return None if oldest is None else oldest.split(":", 4)[4]


def move_session(db: sa.Connection, session: Session, local_start: str, *, city: City, now: dt.datetime) -> list[str]:
    """Give a session another local start. Exactly those who knew the old time are told old and new."""
    known = who_knows(db, session.id)
    for person_id in known:
        _drop(db, person_id, session)
    moved = programmes.set_start(db, session.id, local_start, city.pack.zone)
    for person_id in known:
        heard = _unsaid_move(db, person_id, session.id) or session.local_start
        if heard != moved.local_start:
            data = {"session": session.id, "old": heard, "new": moved.local_start}
            plan(
                db, "change", Late("session-moved", data), now=now, to=person_lane(person_id),
                key=f"moved:{session.id}:{moved.version}:{person_id}:{heard}",
                expires_at=max(session.starts_at, moved.starts_at),
            )  # fmt: skip
        plan_reminders(db, person_id, moved, city, now)
    return known


def cancel_session(db: sa.Connection, session: Session, *, now: dt.datetime) -> list[str]:
    """A session does not take place: everybody who knew of it is told; their places end."""
    known = who_knows(db, session.id)
    if not programmes.set_cancelled(db, session.id):
        return []
    for person_id in known:
        _drop(db, person_id, session)
        heard = _unsaid_move(db, person_id, session.id) or session.local_start
        data = {"session": session.id, "known": heard}
        plan(
            db, "change", Late("session-cancelled", data), now=now, to=person_lane(person_id),
            key=f"cancelled:{session.id}:{person_id}", expires_at=session.starts_at,
        )  # fmt: skip
    return known


def new_session(
    db: sa.Connection, programme: Programme, local_start: str, *, city: City, now: dt.datetime, minutes: int = 120,
    seats: int | None = None, name: str | None = None,
) -> Session:  # fmt: skip
    """A new session; who waited for the dates is told."""
    made = programmes.add_session(db, programme, local_start, city.pack.zone, minutes=minutes, seats=seats, name=name)
    interest.tell_interested(db, programme.id, now)
    return made


# --- time ---------------------------------------------------------------------------------------------------------


def repair(db: sa.Connection, *, city: City, now: dt.datetime) -> None:
    """Plan reminders that are missing (a booking from before a crash, a changed lead time)."""
    for person_id, session_id in sessions.booked_persons(db, now + AHEAD, now):
        session = programmes.session(db, session_id)
        if session is not None:
            plan_reminders(db, person_id, session, city, now)


def due_bookings(db: sa.Connection, data: Mapping[str, Any], now: dt.datetime) -> list[Booking]:
    """What a reminder is about, checked again when it leaves: still booked, not started, not moved, wanted."""
    session = programmes.session(db, int(data["session"]))
    person = people.get(db, str(data["person"]))
    if session is None or person is None or person.muted:
        return []
    if session.version != data["version"] or session.starts_at <= now:
        return []
    return [one for one in sessions.own(db, person.id, now, session_id=session.id) if one.state == "booked"]


def due_together(db: sa.Connection, data: Mapping[str, Any], now: dt.datetime) -> list[list[Booking]]:
    """What one reminder says: its own session's bookings first, then those of reminders due within `TOGETHER` after it.

    Empty when it is no longer useful, or was said with an earlier one. Nothing is written: a reminder that must be
    sent again says the same, and one whose companion never left is said by itself.
    """
    own = due_bookings(db, data, now)
    if not own or "lead" not in data:
        return [own] if own else []
    key = _key(str(data["person"]), own[0].session, str(data["lead"]))
    earlier, later = outbox.near(db, key, TOGETHER)
    if any(one.left for one in earlier):
        return []
    others = [due_bookings(db, _named(one.key), now) for one in later if not one.left]
    by_session = {found[0].session.id: found for found in [own, *others] if found}
    return list(by_session.values())
