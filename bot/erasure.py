"""What is known about a person, erasing it, and what goes by itself with time; it must leave nothing behind.

Retention times: docs/privacy.md. An erased person leaves only a keyed hash, so that a restored backup is cleaned.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot import cases, people, reminders
from bot.conversation import City
from bot.language import for_staff
from bot.message import After, Message, say
from bot.outbox import Outcome, case_lane, plan
from bot.storage import tables
from bot.storage.vault import blind_index, seal, unseal

_EXPORT_VERSION: Final = 1


# --- files that were sent without a case --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file's id, kind and caption, kept for a day."""

    kind: str
    file_id: str
    words: str
    album: str


def keep_file(
    db: sa.Connection, person_id: str, kind: str, file_id: str, words: str, *, album: str, now: dt.datetime
) -> bool:
    """Keep a file's id; False when another of the same album is kept already."""
    first = not album or all(one.album != album for one in kept_files(db, person_id))
    sealed = seal(db, json.dumps({"file": file_id, "words": words, "album": album}, ensure_ascii=False))
    db.execute(sa.insert(tables.kept_file).values(person_id=person_id, kind=kind, file_sealed=sealed, kept_at=now))
    return first


def kept_files(db: sa.Connection, person_id: str) -> list[KeptFile]:
    """The files of a person, oldest first."""
    table = tables.kept_file
    rows = db.execute(sa.select(table).where(table.c.person_id == person_id).order_by(table.c.id))
    found = []
    for row in rows:
        data = json.loads(unseal(db, row.file_sealed))
        found.append(KeptFile(row.kind, data["file"], data["words"], data["album"]))
    return found


def drop_files(db: sa.Connection, person_id: str) -> None:
    """Forget the files of a person."""
    db.execute(sa.delete(tables.kept_file).where(tables.kept_file.c.person_id == person_id))


# --- what is known ------------------------------------------------------------------------------------------------


def collect(db: sa.Connection, person_id: str) -> dict[str, Any]:
    """Everything about a person, as data that can be written as JSON."""
    person = people.get(db, person_id)
    if person is None:
        return {}
    participants = {
        row.id: {"name": unseal(db, row.name_sealed), "child": row.child, "age": row.age}
        for row in db.execute(sa.select(tables.participant).where(tables.participant.c.person_id == person_id))
    }
    bookings = [
        {
            "programme": row.programme_id, "start": row.local_start,
            "who": participants.get(row.participant_id, {}).get("name"),
            "since": _iso(row.booked_at), "changed": _iso(row.changed_at), "offered_until": _iso(row.offered_until),
            "state": row.state, "said_coming": _iso(row.coming_at), "said_late": _iso(row.late_at),
        }
        for row in db.execute(
            sa.select(tables.booking, tables.session.c.programme_id, tables.session.c.local_start)
            .join(tables.session, tables.session.c.id == tables.booking.c.session_id)
            .where(tables.booking.c.person_id == person_id)
            .order_by(tables.session.c.starts_at)
        )
    ]  # fmt: skip
    state, data = people.load_state(db, person_id)
    return {
        "version": _EXPORT_VERSION,
        "telegram_id": people.telegram_id(db, person_id),
        "language": person.language,
        "phone_language": person.phone_language,
        "role": person.role,
        "first_seen": _iso(person.first_seen_at),
        "last_seen": _iso(person.last_seen_at),
        "no_reminders_and_news": person.muted,
        "blocked_the_bot": person.unreachable,
        "open_question": {"name": state, "data": dict(data)} if state else None,
        "participants": list(participants.values()),
        "bookings": bookings,
        "waits_for_dates_of": list(
            db.scalars(sa.select(tables.interest.c.programme_id).where(tables.interest.c.person_id == person_id))
        ),
        "questions_to_the_city": [
            {
                "number": case.id, "opened": _iso(case.opened_at), "state": case.state, "urgent": case.urgent,
                "kind": case.kind, "topic": case.topic, "language": case.language, "not_meant": case.not_meant,
                "answer_promised": _iso(case.promised_at), "answered": _iso(case.answered_at),
                "closed": _iso(case.closed_at),
                "said": [
                    {"who": one.who, "words": one.words, "at": _iso(one.at)} for one in cases.entries(db, case.id)
                ],
            }
            for case in cases.of_person(db, person_id)
        ],
        "files_kept_for_a_day": [{"kind": one.kind, "words": one.words} for one in kept_files(db, person_id)],
        "cards_shown": [
            {"kind": row.kind, "at": _iso(row.shown_at)}
            for row in db.execute(sa.select(tables.card_shown).where(tables.card_shown.c.person_id == person_id))
        ],
        "in_the_staff_group_as": _staff_name(db, person_id),
        "messages_that_failed": _parked(db, person_id),
        "messages_on_their_way": int(
            db.scalar(
                sa.select(sa.func.count()).where(
                    tables.outbox.c.person_id == person_id, tables.outbox.c.state == "planned"
                )
            )
            or 0
        ),
    }  # fmt: skip


def _staff_name(db: sa.Connection, person_id: str) -> str | None:
    table = tables.staff_member
    sealed = db.scalar(sa.select(table.c.name_sealed).where(table.c.person_id == person_id))
    return None if sealed is None else unseal(db, sealed)


def _lane(db: sa.Connection, chat: int) -> bytes:
    """The keyed hash under which `inbox.store` keeps what came from a private chat."""
    return blind_index(db, "lane", str(chat))[:8]


def _parked(db: sa.Connection, person_id: str) -> list[Any]:
    """What the person sent and could not be handled: kept for some days, to find the fault."""
    chat = people.telegram_id(db, person_id)
    if chat is None:
        return []
    table = tables.inbox
    where = (table.c.lane == _lane(db, chat)) & (table.c.state == "parked") & table.c.raw_sealed.is_not(None)
    return [json.loads(unseal(db, raw)) for raw in db.scalars(sa.select(table.c.raw_sealed).where(where))]


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


# --- erasing ------------------------------------------------------------------------------------------------------


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
    mine = table.c.lane == _lane(db, chat)
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


# --- time ---------------------------------------------------------------------------------------------------------


def expire(db: sa.Connection, *, city: City, now: dt.datetime, terms: Mapping[str, dt.timedelta]) -> None:
    """Remove what is older than its term: parked, questions, case_texts, bookings, silent, files."""
    inbox, box = tables.inbox, tables.outbox
    parked = now - terms["parked"]
    db.execute(
        sa.update(inbox)
        .where(inbox.c.state == "parked", inbox.c.received_at < parked, inbox.c.raw_sealed.is_not(None))
        .values(raw_sealed=None)
    )
    db.execute(
        sa.delete(inbox).where(inbox.c.state.in_(("done", "parked")), inbox.c.received_at < parked - terms["parked"])
    )
    db.execute(sa.delete(tables.question).where(tables.question.c.asked_at < now - terms["questions"]))
    db.execute(sa.delete(tables.kept_file).where(tables.kept_file.c.kept_at < now - terms["files"]))
    # a card is only remembered so as not to be shown twice in half an hour
    db.execute(sa.delete(tables.card_shown).where(tables.card_shown.c.shown_at < now - terms["files"]))
    old = (
        sa.select(tables.case.c.id)
        .where(tables.case.c.state == "closed", tables.case.c.closed_at < now - terms["case_texts"])
        .scalar_subquery()
    )
    db.execute(sa.delete(tables.case_entry).where(tables.case_entry.c.case_id.in_(old)))
    ended = ("sent", "refused", "expired", "cancelled", "superseded", "uncertain")
    db.execute(
        sa.delete(box).where(box.c.state.in_(ended), box.c.planned_at < now - terms["case_texts"], box.c.due_at < now)
    )
    _expire_bookings(db, now - terms["bookings"])
    for person_id in list(
        db.scalars(
            sa.select(tables.person.c.id)
            .where(tables.person.c.last_seen_at < now - terms["silent"])
            .where(~tables.person.c.id.in_(sa.select(tables.staff_member.c.person_id)))
            .limit(50)
        )
    ):
        erase(db, person_id, city=city, now=now)


def _expire_bookings(db: sa.Connection, before: dt.datetime) -> None:
    """Bookings, and then names without any, of programmes whose last session is long over."""
    session, booking, participant = tables.session, tables.booking, tables.participant
    last = (
        sa.select(session.c.programme_id)
        .group_by(session.c.programme_id)
        .having(sa.func.max(session.c.starts_at) < before)
        .scalar_subquery()
    )
    past = sa.select(session.c.id).where(session.c.programme_id.in_(last)).scalar_subquery()
    db.execute(sa.delete(booking).where(booking.c.session_id.in_(past)))
    without = (
        sa.select(participant.c.id)
        .where(
            participant.c.added_at < before,
            ~sa.exists(sa.select(booking.c.id).where(booking.c.participant_id == participant.c.id)),
        )
        .scalar_subquery()
    )
    db.execute(sa.delete(tables.join_code).where(tables.join_code.c.participant_id.in_(without)))
    db.execute(sa.delete(participant).where(participant.c.id.in_(without)))
