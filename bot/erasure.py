"""Erases a person and all that is known about them, also from a restored backup; it must leave nothing behind.

An erased person leaves only a keyed hash, so that a restored backup is cleaned.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import sqlalchemy as sa

from bot import cases, inbox, people, reminders
from bot.conversation import City
from bot.language import for_staff
from bot.message import After, Message, say
from bot.outbox import Outcome, case_lane, plan
from bot.storage import tables


def erase(db: sa.Connection, person_id: str, *, city: City, now: dt.datetime) -> None:
    """Everything about a person goes; places are freed, topics in the staff group deleted, staff told."""
    reminders.release_person(db, person_id, city=city, now=now)
    for case in cases.of_person(db, person_id):
        if case.state != "closed" and city.staff:
            told = say(for_staff("Case #{id}: erased by the person.", id=case.id))
            plan(db, "copy", told, now=now, to="staff", key=f"erased:{case.id}")
        _empty_case(db, case.id, now)
        if case.thread is not None:
            plan(db, "copy", Message(action="topic_delete"), now=now, to=case_lane(case.id))
    _remove(db, person_id, now)


def erase_and_say(
    db: sa.Connection, person_id: str, farewell: Message, *, chat: int, city: City, now: dt.datetime
) -> None:
    """Erase, and say so to the chat that is then no longer known: its number leaves the outbox with the message."""
    erase(db, person_id, city=city, now=now)
    plan(db, "answer", farewell, now=now, to=f"chat:{chat}", after=After("farewell", {"chat": chat}))


def after_farewell(
    db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
) -> None:
    """The chat's number goes too."""
    del outcome, city, now
    _leave_no_lane(db, int(data["chat"]))
    lane = f"chat:{data['chat']}"
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.lane == lane, tables.outbox.c.state.not_in(("planned", "sending")))
        .values(lane="erased", message_id=None, body_sealed=None)
    )


AFTERS: Final = {"farewell": after_farewell}


def _leave_no_lane(db: sa.Connection, chat: int) -> None:
    """What came from this chat goes, or if only its number is kept, says no longer from whom it came."""
    table = tables.inbox
    mine = table.c.lane == inbox.lane_index(db, str(chat))
    db.execute(sa.update(table).where(mine, table.c.state == "parked").values(raw_sealed=None, lane=b""))
    db.execute(sa.update(table).where(mine, table.c.state == "done").values(lane=b""))


def _empty_case(db: sa.Connection, case_id: int, now: dt.datetime) -> None:
    """A case without words and without a person; its number and times stay for counting."""
    db.execute(sa.delete(tables.case_entry).where(tables.case_entry.c.case_id == case_id))
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.case_id == case_id, tables.outbox.c.state.in_(("planned", "uncertain")))
        .values(state="cancelled", body_sealed=None)
    )
    cases.close(db, case_id, "erased", now)


def _remove(db: sa.Connection, person_id: str, now: dt.datetime) -> None:
    chat = people.telegram_id(db, person_id)
    if chat is not None:
        _leave_no_lane(db, chat)
    index = db.scalar(sa.select(tables.address.c.blind_index).where(tables.address.c.person_id == person_id))
    if index is not None and not db.scalar(
        sa.select(sa.func.count()).select_from(tables.erased).where(tables.erased.c.blind_index == index)
    ):
        db.execute(sa.insert(tables.erased).values(blind_index=index, erased_at=now))
    mine = sa.select(tables.participant.c.id).where(tables.participant.c.person_id == person_id).scalar_subquery()
    db.execute(sa.delete(tables.join_code).where(tables.join_code.c.participant_id.in_(mine)))
    db.execute(sa.delete(tables.booking).where(tables.booking.c.participant_id.in_(mine)))
    db.execute(sa.delete(tables.booking).where(tables.booking.c.person_id == person_id))
    db.execute(sa.delete(tables.participant).where(tables.participant.c.person_id == person_id))
    for table in (tables.interest, tables.card_shown, tables.kept_file, tables.staff_member):
        db.execute(sa.delete(table).where(table.c.person_id == person_id))
    db.execute(sa.update(tables.case).where(tables.case.c.person_id == person_id).values(person_id=None))
    db.execute(
        sa.update(tables.case)
        .where(tables.case.c.claimed_by == person_id)
        .values(
            claimed_by=None, claimed_at=None,
            state=sa.case((tables.case.c.state == "claimed", "open"), else_=tables.case.c.state),
        )
    )  # fmt: skip
    db.execute(sa.update(tables.local_value).where(tables.local_value.c.set_by == person_id).values(set_by=None))
    db.execute(sa.update(tables.example).where(tables.example.c.added_by == person_id).values(added_by=None))
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.person_id == person_id, tables.outbox.c.state.in_(("planned", "sending", "uncertain")))
        .values(state="cancelled")
    )
    db.execute(
        sa.update(tables.outbox)
        .where(tables.outbox.c.person_id == person_id)
        .values(person_id=None, lane="erased", key=None, body_sealed=None, message_id=None)
    )
    db.execute(sa.delete(tables.address).where(tables.address.c.person_id == person_id))
    db.execute(sa.delete(tables.person).where(tables.person.c.id == person_id))


def erased_indexes(db: sa.Connection) -> list[tuple[bytes, dt.datetime]]:
    """The keyed hashes of everybody who was erased, and when."""
    return [(bytes(row.blind_index), row.erased_at) for row in db.execute(sa.select(tables.erased))]


def erase_again(db: sa.Connection, gone: Sequence[tuple[bytes, dt.datetime]], *, city: City, now: dt.datetime) -> int:
    """Erase in a restored backup who was erased after it was made. Returns how many were found."""
    found = 0
    for index, at in gone:
        row = db.execute(
            sa.select(tables.address.c.person_id, tables.person.c.first_seen_at)
            .join(tables.person, tables.person.c.id == tables.address.c.person_id)
            .where(tables.address.c.blind_index == index)
        ).first()
        if row is not None and row.first_seen_at <= at:
            erase(db, row.person_id, city=city, now=now)
            found += 1
    return found
