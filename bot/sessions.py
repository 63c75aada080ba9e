"""Who has a place in which session: bookings, the waiting list, offers; it must not know reminders.

`taken` of a session counts what is booked, offered or attended. A place is taken by a conditional UPDATE, the
session's row is locked first (order of locks: person, session), sessions in the order of their ids.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot import outbox, programmes, quiet
from bot.message import Late
from bot.participants import Participant
from bot.programmes import Session
from bot.storage import tables
from bot.storage.vault import unseal

SURE_UNTIL: Final = dt.timedelta(hours=24)
"""A freed place is a sure booking until so long before the start; later it is only offered."""
OFFER_LASTS: Final = dt.timedelta(hours=3)
ACTIVE: Final = ("booked", "offered", "waiting")
_HOLDS: Final = ("booked", "offered", "attended")
_B: Final = tables.booking
_P: Final = tables.participant
_S: Final = tables.session


@dataclass(frozen=True, slots=True)
class Booking:
    """One place with its session and who it is for; `state` booked, waiting, offered, cancelled or attended."""

    id: int
    state: str
    session: Session
    participant: Participant
    person_id: str | None
    booked_at: dt.datetime
    offered_until: dt.datetime | None
    coming_at: dt.datetime | None
    late_at: dt.datetime | None
    cancelled_by: str | None


# --- places -------------------------------------------------------------------------------------------------------


def _bookings(db: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Booking]:
    rows = db.execute(
        sa.select(
            _B, _P.c.child, _P.c.name_sealed, _P.c.age, _P.c.person_id.label("parent"), _S.c.programme_id,
            _S.c.local_start, _S.c.starts_at, _S.c.minutes, _S.c.seats, _S.c.taken, _S.c.state.label("session_state"),
            _S.c.version,
        )
        .join(_P, _P.c.id == _B.c.participant_id)
        .join(_S, _S.c.id == _B.c.session_id)
        .where(*where)
        .order_by(_S.c.starts_at, _S.c.id, _B.c.booked_at, _B.c.id)
    )  # fmt: skip
    return [
        Booking(
            id=row.id, state=row.state,
            session=Session(
                row.session_id, row.programme_id, row.local_start, row.starts_at, row.minutes, row.seats, row.taken,
                row.session_state, row.version,
            ),
            participant=Participant(row.participant_id, row.parent, row.child, unseal(db, row.name_sealed), row.age),
            person_id=row.person_id, booked_at=row.booked_at, offered_until=row.offered_until,
            coming_at=row.coming_at, late_at=row.late_at, cancelled_by=row.cancelled_by,
        )
        for row in rows
    ]  # fmt: skip


def own(
    db: sa.Connection, person_id: str, now: dt.datetime, *, programme_id: str | None = None,
    session_id: int | None = None,
) -> list[Booking]:  # fmt: skip
    """A person's places (booked, offered, waiting) in planned sessions that are not over, in order."""
    where = [_B.c.person_id == person_id, _B.c.state.in_(ACTIVE), _S.c.state == "planned"]
    if programme_id is not None:
        where.append(_S.c.programme_id == programme_id)
    if session_id is not None:
        where.append(_S.c.id == session_id)
    return [one for one in _bookings(db, *where) if one.session.ends_at > now]


def of_session(db: sa.Connection, session_id: int, states: Collection[str]) -> list[Booking]:
    """The places of one session in these states, first come first."""
    return _bookings(db, _B.c.session_id == session_id, _B.c.state.in_(list(states)))


def of_participant(db: sa.Connection, participant_id: int) -> list[Booking]:
    """All that a participant has or had, in every state."""
    return _bookings(db, _B.c.participant_id == participant_id)


def booking(db: sa.Connection, booking_id: int) -> Booking | None:
    """One place, whoever has it."""
    return next(iter(_bookings(db, _B.c.id == booking_id)), None)


def booked_persons(db: sa.Connection, until: dt.datetime, now: dt.datetime) -> list[tuple[str, int]]:
    """(person, session) for every planned session that starts in (now, until] and in which she has a place."""
    rows = db.execute(
        sa.select(_B.c.person_id, _B.c.session_id)
        .join(_S, _S.c.id == _B.c.session_id)
        .where(
            _B.c.state == "booked", _B.c.person_id.is_not(None), _S.c.state == "planned", _S.c.starts_at > now,
            _S.c.starts_at <= until,
        )
        .distinct()
        .order_by(_B.c.session_id, _B.c.person_id)
    )  # fmt: skip
    return [(row.person_id, row.session_id) for row in rows]


def waiting_place(db: sa.Connection, one: Booking) -> int:
    """Her place in the waiting list, from 1; 0 when she does not wait."""
    waiting = [other.id for other in of_session(db, one.session.id, ("waiting",))]
    return waiting.index(one.id) + 1 if one.id in waiting else 0


def _take(db: sa.Connection, session_id: int) -> bool:
    taken = db.execute(
        sa.update(_S)
        .where(_S.c.id == session_id, _S.c.state == "planned", _S.c.taken < _S.c.seats)
        .values(taken=_S.c.taken + 1)
    )
    return bool(taken.rowcount)


def book(
    db: sa.Connection, person_id: str | None, participant_id: int, session: Session, now: dt.datetime
) -> tuple[str, bool]:
    """Take a place, or one in the waiting list: ("booked" or "waiting", True). (state, False): had one already.

    A session that has started or does not take place gives ("cancelled", False).
    """
    fresh = programmes.session(db, session.id, lock=True)
    known = db.execute(
        sa.select(_B).where(_B.c.session_id == session.id, _B.c.participant_id == participant_id)
    ).first()
    if known is not None and known.state != "cancelled":
        return known.state, False
    if fresh is None or fresh.state != "planned" or fresh.starts_at <= now:
        return "cancelled", False
    # Nobody overtakes those who wait, also while a freed place is too late to be offered.
    queue = db.scalar(sa.select(_B.c.id).where(_B.c.session_id == session.id, _B.c.state == "waiting").limit(1))
    state = "booked" if queue is None and _take(db, session.id) else "waiting"
    values = {
        "person_id": person_id, "state": state, "booked_at": now, "changed_at": now, "offered_until": None,
        "coming_at": None, "late_at": None, "cancelled_by": None,
    }  # fmt: skip
    if known is None:
        db.execute(sa.insert(_B).values(session_id=session.id, participant_id=participant_id, **values))
    else:
        db.execute(sa.update(_B).where(_B.c.id == known.id).values(**values))
    return state, True


def release(db: sa.Connection, one: Booking, by: str, now: dt.datetime) -> list[Booking]:
    """Give a place up and hand it on; `by`: person, staff, erased, unanswered. Returns who has a sure place now."""
    programmes.session(db, one.session.id, lock=True)
    # Read again under the lock: it may have been given up, or the offer accepted, meanwhile.
    before = db.execute(sa.select(_B.c.state, _B.c.offered_until).where(_B.c.id == one.id)).first()
    if before is None or before.state not in ACTIVE:
        return []
    if by == "unanswered" and (before.state != "offered" or before.offered_until > now):
        return []
    db.execute(
        sa.update(_B)
        .where(_B.c.id == one.id)
        .values(state="cancelled", changed_at=now, cancelled_by=by, offered_until=None)
    )
    if before.state in _HOLDS:
        db.execute(sa.update(_S).where(_S.c.id == one.session.id).values(taken=_S.c.taken - 1))
    return fill(db, one.session.id, now)


def fill(db: sa.Connection, session_id: int, now: dt.datetime) -> list[Booking]:
    """Free places go to the waiting list, in order: sure until 24 h before, then as an offer. Returns the sure ones."""
    session = programmes.session(db, session_id, lock=True)
    if session is None or session.state != "planned" or session.starts_at <= now:
        return []
    zone = ZoneInfo(db.scalar(sa.select(_S.c.zone).where(_S.c.id == session_id)) or "UTC")
    sure = session.starts_at - now > SURE_UNTIL
    until = None if sure else offer_until(session.starts_at, zone, now)
    got: list[Booking] = []
    for one in of_session(db, session_id, ("waiting",)):
        # Enrolled on paper: nobody can answer an offer, so the place is theirs.
        offered = not sure and one.person_id is not None
        if offered and until is None:
            continue
        if not _take(db, session_id):
            break
        state = "offered" if offered else "booked"
        db.execute(
            sa.update(_B)
            .where(_B.c.id == one.id)
            .values(state=state, offered_until=until if offered else None, changed_at=now)
        )
        if one.person_id is not None:
            outbox.plan(
                db, "change", Late("place-offered" if offered else "place-given", {"booking": one.id}), now=now,
                to=outbox.person_lane(one.person_id), key=f"{state}:{one.id}:{now:%Y%m%dT%H%M%S.%f}",
                expires_at=session.starts_at,
            )  # fmt: skip
        if not offered:
            got += [found for found in (booking(db, one.id),) if found is not None]
    return got


def offer_until(starts_at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    """When an offer made now ends: 3 hours after it arrives, at the latest at the start; None: too late to offer."""
    arrives = quiet.held_until(now, zone, starts_at) or now
    until = min(arrives + OFFER_LASTS, starts_at)
    return until if arrives < until else None


def accept_offer(db: sa.Connection, one: Booking, now: dt.datetime) -> bool:
    """Take an offered place; False when the offer is over or the session has started."""
    session = programmes.session(db, one.session.id, lock=True)
    if session is None or session.state != "planned" or session.starts_at <= now:
        return False
    taken = db.execute(
        sa.update(_B)
        .where(_B.c.id == one.id, _B.c.state == "offered", _B.c.offered_until > now)
        .values(state="booked", offered_until=None, coming_at=now, changed_at=now)
    )
    return bool(taken.rowcount)


def expired_offers(db: sa.Connection, now: dt.datetime) -> list[Booking]:
    """Offers that nobody answered in time."""
    return _bookings(db, _B.c.state == "offered", _B.c.offered_until <= now)


def set_coming(db: sa.Connection, found: Collection[Booking], now: dt.datetime) -> None:
    """They said that they come."""
    db.execute(
        sa.update(_B)
        .where(_B.c.id.in_([one.id for one in found]), _B.c.state == "booked")
        .values(coming_at=now, late_at=None)
    )


def set_late(db: sa.Connection, found: Collection[Booking], now: dt.datetime) -> None:
    """They said that they come later; the places stay theirs."""
    db.execute(
        sa.update(_B)
        .where(_B.c.id.in_([one.id for one in found]), _B.c.state == "booked")
        .values(coming_at=now, late_at=now)
    )


# --- how full -------------------------------------------------------------------------------------------------------


def dots(taken: int, seats: int) -> str:
    """How full a session is, as ●●●○○: ● taken, ○ free; five dots, of which one stays ○ while a place is free."""
    shown = min(5, seats)
    full = shown if taken >= seats else min(shown - 1, -(-taken * shown // seats))
    return "●" * full + "○" * (shown - full)
