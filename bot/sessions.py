"""Who has a place in which session: bookings, the waiting list, offers, interest; it must not know reminders.

`taken` of a session counts what is booked, offered or attended. A place is taken by a conditional UPDATE, the
session's row is locked first (order of locks: person, session), sessions in the order of their ids.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot import outbox, people, programmes, quiet
from bot.conversation import City
from bot.language import Day, Hour, Joined, Said, Sayable, Text
from bot.outbox import Button, Late
from bot.programmes import Programme, Session
from bot.storage import tables
from bot.storage.vault import blind_index, seal, unseal

NAME_MOST: Final = 40
ADULT: Final = 18
AGE_MOST: Final = 120
SURE_UNTIL: Final = dt.timedelta(hours=24)
"""A freed place is a sure booking until so long before the start; later it is only offered."""
OFFER_LASTS: Final = dt.timedelta(hours=3)
ACTIVE: Final = ("booked", "offered", "waiting")
_HOLDS: Final = ("booked", "offered", "attended")
_B: Final = tables.booking
_P: Final = tables.participant
_S: Final = tables.session


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes part: the person herself or a child of hers. `person_id` None: enrolled on paper."""

    id: int
    person_id: str | None
    child: bool
    name: str
    age: int | None


@dataclass(frozen=True, slots=True)
class Place:
    """One booking with its session and who it is for."""

    id: int
    state: str
    session: Session
    participant: Participant
    person_id: str | None
    changed_at: dt.datetime
    offered_until: dt.datetime | None
    coming: bool
    late: bool


# --- who takes part -----------------------------------------------------------------------------------------------


def fold(name: str) -> str:
    """A name as it is compared: case, width and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def clean_name(text: str) -> str | None:
    """A first name or nickname as it is kept; None when it cannot be one (empty, a command, far too long)."""
    name = " ".join("".join(c for c in text if c.isprintable()).split())
    return name if 0 < len(name) <= NAME_MOST and not name.startswith("/") else None


def clean_age(text: str) -> int | None:
    """A whole number of years in digits of any script; None when it is none."""
    text = text.strip()
    return int(text) if text.isdecimal() and len(text) <= 3 and int(text) <= AGE_MOST else None  # noqa: PLR2004


def suits(programme: Programme, *, child: bool, age: int | None) -> bool:
    """Whether a programme is for them. An adult's age is never asked; a child's is, when it matters."""
    match programme.who:
        case "adults" | "women":
            return not child or (age is not None and age >= ADULT)
        case "ages":
            low, high = programme.age_from or 0, programme.age_to or AGE_MOST
            return age is not None and low <= age <= high
    return True


def needs_age(programme: Programme) -> bool:
    """Whether the age must be asked."""
    return programme.who == "ages"


def _participant(db: sa.Connection, row: Any) -> Participant:
    return Participant(row.id, row.person_id, row.child, unseal(db, row.name_sealed), row.age)


def participants(db: sa.Connection, person_id: str) -> list[Participant]:
    """Everybody whom a person has named."""
    rows = db.execute(sa.select(_P).where(_P.c.person_id == person_id).order_by(_P.c.id))
    return [_participant(db, row) for row in rows]


def participant(db: sa.Connection, person_id: str, participant_id: int) -> Participant | None:
    """One of hers; None for somebody else's."""
    row = db.execute(sa.select(_P).where(_P.c.id == participant_id, _P.c.person_id == person_id)).first()
    return None if row is None else _participant(db, row)


def name_participant(
    db: sa.Connection, person_id: str | None, name: str, *, child: bool, age: int | None, now: dt.datetime
) -> Participant:
    """Keep a name; the same name again is the same child (a newly told age is kept)."""
    index = blind_index(db, "participant", fold(name))
    if person_id is not None:
        people.lock(db, person_id)
        row = db.execute(sa.select(_P).where(_P.c.person_id == person_id, _P.c.name_index == index)).first()
        if row is not None:
            if age is not None and age != row.age:
                db.execute(sa.update(_P).where(_P.c.id == row.id).values(age=age))
            return Participant(row.id, person_id, row.child, unseal(db, row.name_sealed), row.age if age is None else age)
    row = db.execute(
        sa.insert(_P)
        .values(person_id=person_id, child=child, name_sealed=seal(db, name), name_index=index, age=age, added_at=now)
        .returning(_P.c.id)
    ).one()
    return Participant(row.id, person_id, child, name, age)


# --- places -------------------------------------------------------------------------------------------------------


def _places(db: sa.Connection, *where: sa.ColumnElement[bool]) -> list[Place]:
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
        Place(
            row.id, row.state,
            Session(
                row.session_id, row.programme_id, row.local_start, row.starts_at, row.minutes, row.seats, row.taken,
                row.session_state, row.version,
            ),
            Participant(row.participant_id, row.parent, row.child, unseal(db, row.name_sealed), row.age),
            row.person_id, row.changed_at, row.offered_until, row.coming_at is not None, row.late_at is not None,
        )
        for row in rows
    ]  # fmt: skip


def places_of(
    db: sa.Connection, person_id: str, *, after: dt.datetime | None = None, states: Collection[str] = ACTIVE
) -> list[Place]:
    """A person's places in planned sessions, in order; `after`: only those that have not ended by then."""
    found = _places(db, _B.c.person_id == person_id, _B.c.state.in_(states), _S.c.state == "planned")
    return [place for place in found if after is None or place.session.ends_at > after]


def places_in(db: sa.Connection, session_id: int, *, states: Collection[str] = (*ACTIVE, "cancelled")) -> list[Place]:
    """All places of one session, first come first."""
    return _places(db, _B.c.session_id == session_id, _B.c.state.in_(states))


def persons_of(db: sa.Connection, session_id: int) -> list[str]:
    """Who knows a session because of a place in it (booked, offered or waiting)."""
    rows = db.scalars(
        sa.select(_B.c.person_id)
        .where(_B.c.session_id == session_id, _B.c.state.in_(ACTIVE), _B.c.person_id.is_not(None))
        .distinct()
        .order_by(_B.c.person_id)
    )
    return [str(one) for one in rows]


def book(
    db: sa.Connection, who: Participant, session_ids: Collection[int], *, now: dt.datetime
) -> list[tuple[Session, str]]:
    """Take a place in each session. What became of it: "booked", "waiting" (the list), "already" or "past"."""
    if who.person_id is not None:
        people.lock(db, who.person_id)
    outcome = [_book_one(db, who, session_id, now) for session_id in sorted(set(session_ids))]
    return sorted((one for one in outcome if one is not None), key=lambda one: one[0].starts_at)


def _book_one(db: sa.Connection, who: Participant, session_id: int, now: dt.datetime) -> tuple[Session, str] | None:
    session = programmes.session(db, session_id, lock=True)
    if session is None:
        return None
    if session.state != "planned" or session.starts_at <= now:
        return session, "past"
    known = db.execute(sa.select(_B).where(_B.c.session_id == session_id, _B.c.participant_id == who.id)).first()
    if known is not None and known.state != "cancelled":
        return session, "already"
    queue = db.scalar(sa.select(_B.c.id).where(_B.c.session_id == session_id, _B.c.state == "waiting").limit(1))
    state = "booked" if queue is None and _take(db, session_id) else "waiting"
    values = {
        "person_id": who.person_id, "state": state, "booked_at": now, "changed_at": now, "offered_until": None,
        "coming_at": None, "late_at": None, "cancelled_by": None,
    }  # fmt: skip
    if known is None:
        db.execute(sa.insert(_B).values(session_id=session_id, participant_id=who.id, **values))
    else:
        db.execute(sa.update(_B).where(_B.c.id == known.id).values(**values))
    return session, state


def _take(db: sa.Connection, session_id: int) -> bool:
    row = db.execute(
        sa.update(_S).where(_S.c.id == session_id, _S.c.taken < _S.c.seats).values(taken=_S.c.taken + 1)
    )
    return bool(row.rowcount)


def cancel(
    db: sa.Connection, booking_ids: Collection[int], *, by: str, zone: ZoneInfo, now: dt.datetime,
    person_id: str | None = None,
) -> set[str]:  # fmt: skip
    """Give up places; `person_id`: only hers count. Returns every person whose places changed (who moved up too)."""
    query = sa.select(_B.c.id, _B.c.session_id).where(_B.c.id.in_(list(booking_ids)), _B.c.state.in_(ACTIVE))
    if person_id is not None:
        people.lock(db, person_id)
        query = query.where(_B.c.person_id == person_id)
    changed: set[str] = set()
    for row in sorted(db.execute(query), key=lambda one: (one.session_id, one.id)):
        session = programmes.session(db, row.session_id, lock=True)
        if session is not None:
            changed |= _give_up(db, row.id, session, by, now)
            changed |= fill(db, session.id, zone=zone, now=now)
    return changed


def _give_up(db: sa.Connection, booking_id: int, session: Session, by: str, now: dt.datetime) -> set[str]:
    # The state is read again under the session's lock: somebody else may have changed it meanwhile.
    before = db.execute(sa.select(_B.c.state, _B.c.person_id).where(_B.c.id == booking_id)).one()
    if before.state not in ACTIVE:
        return set()
    db.execute(
        sa.update(_B)
        .where(_B.c.id == booking_id)
        .values(state="cancelled", changed_at=now, cancelled_by=by, offered_until=None)
    )
    if before.state in _HOLDS:
        db.execute(sa.update(_S).where(_S.c.id == session.id).values(taken=_S.c.taken - 1))
    return set() if before.person_id is None else {before.person_id}


def fill(db: sa.Connection, session_id: int, *, zone: ZoneInfo, now: dt.datetime) -> set[str]:
    """Give free places to the waiting list, in order: sure until 24 h before, later as an offer. Who got one."""
    changed: set[str] = set()
    session = programmes.session(db, session_id, lock=True)
    if session is None or session.state != "planned" or session.starts_at <= now:
        return changed
    until = None if session.starts_at - now > SURE_UNTIL else offer_until(session.starts_at, zone, now)
    if session.starts_at - now <= SURE_UNTIL and until is None:
        return changed
    waiting = db.execute(
        sa.select(_B.c.id, _B.c.person_id)
        .where(_B.c.session_id == session_id, _B.c.state == "waiting")
        .order_by(_B.c.booked_at, _B.c.id)
    ).all()
    for row in waiting:
        if not _take(db, session_id):
            break
        # Enrolled on paper: nobody can answer an offer, so the place is theirs.
        offered = until is not None and row.person_id is not None
        db.execute(
            sa.update(_B)
            .where(_B.c.id == row.id)
            .values(state="offered" if offered else "booked", offered_until=until if offered else None, changed_at=now)
        )
        if row.person_id is not None:
            changed.add(row.person_id)
            outbox.plan(
                db, "change", Late("place_offered" if offered else "place_given", {"booking": row.id}), now=now,
                to=outbox.person_lane(row.person_id), key=f"place:{row.id}:{now:%Y%m%dT%H%M%S.%f}",
                expires_at=session.starts_at,
            )  # fmt: skip
    return changed


def offer_until(starts_at: dt.datetime, zone: ZoneInfo, now: dt.datetime) -> dt.datetime | None:
    """When an offer made now ends: 3 hours after it arrives, at the latest at the start; None: too late to offer."""
    arrives = quiet.held_until(now, zone, starts_at) or now
    until = min(arrives + OFFER_LASTS, starts_at)
    return until if arrives < until else None


def accept(db: sa.Connection, person_id: str, booking_id: int, *, now: dt.datetime) -> Place | None:
    """Take an offered place; None when the offer is over or was never hers."""
    people.lock(db, person_id)
    session_id = db.scalar(sa.select(_B.c.session_id).where(_B.c.id == booking_id, _B.c.person_id == person_id))
    session = None if session_id is None else programmes.session(db, session_id, lock=True)
    if session is None or session.state != "planned" or session.starts_at <= now:
        return None
    taken = db.execute(
        sa.update(_B)
        .where(
            _B.c.id == booking_id, _B.c.person_id == person_id, _B.c.state == "offered", _B.c.offered_until > now
        )
        .values(state="booked", offered_until=None, coming_at=now, changed_at=now)
    )
    return place(db, booking_id, person_id=person_id) if taken.rowcount else None


def place(db: sa.Connection, booking_id: int, *, person_id: str | None = None) -> Place | None:
    """One place; `person_id`: only if it is hers."""
    found = _places(db, _B.c.id == booking_id)
    return found[0] if found and person_id in {None, found[0].person_id} else None


def expire_offers(db: sa.Connection, *, zone: ZoneInfo, now: dt.datetime) -> set[str]:
    """Offers that nobody answered go to the next one. Returns every person whose places changed."""
    rows = db.scalars(sa.select(_B.c.id).where(_B.c.state == "offered", _B.c.offered_until <= now).order_by(_B.c.id))
    return cancel(db, rows.all(), by="unanswered", zone=zone, now=now)


def note_coming(db: sa.Connection, person_id: str, session_id: int, now: dt.datetime) -> int:
    """She said that all of hers come. Returns how many places that are."""
    return _note(db, person_id, session_id, now, coming_at=now, late_at=None)


def note_late(db: sa.Connection, person_id: str, session_id: int, now: dt.datetime) -> int:
    """She said that they come later; the places stay theirs."""
    return _note(db, person_id, session_id, now, coming_at=now, late_at=now)


def _note(db: sa.Connection, person_id: str, session_id: int, now: dt.datetime, **values: Any) -> int:
    session = programmes.session(db, session_id)
    if session is None or session.state != "planned" or session.ends_at <= now:
        return 0
    return db.execute(
        sa.update(_B)
        .where(_B.c.person_id == person_id, _B.c.session_id == session_id, _B.c.state == "booked")
        .values(**values)
    ).rowcount


def reset_answers(db: sa.Connection, session_id: int) -> None:
    """After a move nobody has said yet whether they come; offers stay open."""
    db.execute(sa.update(_B).where(_B.c.session_id == session_id).values(coming_at=None, late_at=None))


def close(db: sa.Connection, session_id: int, now: dt.datetime) -> None:
    """All places of a session that does not take place are given up, and none is handed on."""
    db.execute(
        sa.update(_B)
        .where(_B.c.session_id == session_id, _B.c.state.in_(ACTIVE))
        .values(state="cancelled", cancelled_by="staff", changed_at=now, offered_until=None)
    )
    db.execute(sa.update(_S).where(_S.c.id == session_id).values(taken=0))


# --- interest -----------------------------------------------------------------------------------------------------


def note_interest(db: sa.Connection, person_id: str, programme_id: str, now: dt.datetime) -> None:
    """Tell her when the dates are known."""
    table = tables.interest
    mine = (table.c.person_id == person_id) & (table.c.programme_id == programme_id)
    if not db.execute(sa.update(table).where(mine).values(since=now, told_at=None)).rowcount:
        db.execute(sa.insert(table).values(person_id=person_id, programme_id=programme_id, since=now))


def tell_interested(db: sa.Connection, *, city: City, now: dt.datetime) -> int:
    """Plan the news for everybody who waits for dates that are now known. Returns how many."""
    table, told = tables.interest, 0
    for programme in programmes.visible(db, demo=city.demo):
        if not programmes.upcoming(db, programme.id, now):
            continue
        rows = db.execute(sa.select(table).where(table.c.programme_id == programme.id, table.c.told_at.is_(None))).all()
        for row in rows:
            outbox.plan(
                db, "news", Late("dates_known", {"person": row.person_id, "programme": programme.id}), now=now,
                to=outbox.person_lane(row.person_id),
                key=f"dates:{row.person_id}:{programme.id}:{row.since:%Y%m%dT%H%M%S}",
            )  # fmt: skip
            mine = (table.c.person_id == row.person_id) & (table.c.programme_id == programme.id)
            db.execute(sa.update(table).where(mine).values(told_at=now))
            told += 1
    return told


# --- what stands below an answer ----------------------------------------------------------------------------------


def dots(session: Session) -> Said:
    """Free places as ●●●○○: at most five dots, one stays as long as a place is free."""
    free = max(0, session.seats - session.taken)
    shown = min(5, session.seats)
    full = 0 if free == 0 else max(1, free * shown // max(1, session.seats))
    return Said("●" * full + "○" * (shown - full))


def when(session: Session) -> Sayable:
    """Day and time of a session."""
    return Joined((Day(session.date), Hour(session.time)), " · ")


def titled(programme: Programme) -> Sayable:
    """Emoji and title."""
    return Joined((Said(programme.emoji), programme.title_text), " ")


def next_sessions(
    db: sa.Connection, *, city: City, now: dt.datetime, topic_id: str, limit: int = 3
) -> tuple[list[Sayable], list[Button]]:
    """What stands below an answer: the next sessions with free places of the topic (else of its group), and buttons."""
    offered = programmes.visible(db, demo=city.demo)
    topic = city.pack.topics.get(topic_id)
    group: Sequence[str] = city.pack.groups.get(topic.group, ()) if topic else ()
    own = [one for one in offered if one.topic == topic_id] or [one for one in offered if one.topic in group]
    by_id = {one.id: one for one in own}
    found = programmes.with_places(db, list(by_id), now, limit)
    if not found:
        return [], []
    lines = [Joined((titled(by_id[one.programme_id]), when(one), dots(one)), " · ") for one in found]
    buttons = [Button(titled(by_id[name]), f"programme:{name}") for name in dict.fromkeys(s.programme_id for s in found)]
    return [Joined((Text("Next dates with free places:"), *lines), "\n")], buttons
