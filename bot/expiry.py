"""What goes by itself with time; it must not decide after how long.

Retention times: docs/privacy.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa

from bot import erasure
from bot.conversation import City
from bot.storage import tables


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
        erasure.erase(db, person_id, city=city, now=now)


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
