"""What is known about a person, as data that can be written as JSON; it must change nothing and leave nothing out."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any, Final

import sqlalchemy as sa

from bot import cases, inbox, people
from bot.kept_files import kept_files
from bot.storage import tables
from bot.storage.vault import unseal

_EXPORT_VERSION: Final = 1


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


def _parked(db: sa.Connection, person_id: str) -> list[Any]:
    """What the person sent and could not be handled: kept for some days, to find the fault."""
    chat = people.telegram_id(db, person_id)
    if chat is None:
        return []
    table, lane = tables.inbox, inbox.lane_index(db, str(chat))
    where = (table.c.lane == lane) & (table.c.state == "parked") & table.c.raw_sealed.is_not(None)
    return [json.loads(unseal(db, raw)) for raw in db.scalars(sa.select(table.c.raw_sealed).where(where))]


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None
