"""What belongs to danger besides the case: cards shown, "not meant", deleting messages; it must say nothing."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import case_topics, cases
from bot.cases import Case
from bot.language import for_staff
from bot.message import Message, say
from bot.outbox import case_lane, person_lane, plan
from bot.storage import tables


def may_show(db: sa.Connection, person_id: str, kind: str, now: dt.datetime, again: dt.timedelta) -> bool:
    """Whether this card may be shown (again), and if so notes that it is."""
    table = tables.card_shown
    where = (table.c.person_id == person_id) & (table.c.kind == kind)
    shown = db.scalar(sa.select(table.c.shown_at).where(where))
    if shown is not None and now - shown < again:
        return False
    if shown is None:
        db.execute(sa.insert(table).values(person_id=person_id, kind=kind, shown_at=now))
    else:
        db.execute(sa.update(table).where(where).values(shown_at=now))
    return True


def mark_not_meant(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """They say it was not meant: the case stays, marked, and staff decide."""
    cases.change(db, case.id, not_meant=True)
    told = say(for_staff("🙅 The newcomer says: this was not meant. The case stays open; please look."))
    plan(db, "copy", told, now=now, to=case_lane(case.id))
    case_topics.refresh_card(db, case.id, now)


def wipe(db: sa.Connection, person_id: str, since: dt.datetime, *, now: dt.datetime) -> int:
    """Delete what we sent to this chat since then, and what they wrote to staff. Returns how many messages.

    Telegram lets a bot delete the messages of both sides in a private chat, for 48 hours.
    """
    box = tables.outbox
    sent = list(
        db.scalars(
            sa.select(box.c.message_id).where(
                box.c.lane == person_lane(person_id), box.c.state == "sent", box.c.message_id.is_not(None),
                box.c.sent_at >= since,
            )
        )
    )  # fmt: skip
    entry, case = tables.case_entry, tables.case
    sent += db.scalars(
        sa.select(entry.c.chat_message_id)
        .join(case, case.c.id == entry.c.case_id)
        .where(
            case.c.person_id == person_id, entry.c.who == "newcomer", entry.c.chat_message_id.is_not(None),
            entry.c.at >= since,
        )
    )  # fmt: skip
    for message_id in sorted(set(sent)):
        plan(
            db, "card", Message(action="delete", message_id=message_id), now=now, to=person_lane(person_id),
            key=f"wipe:{person_id}:{message_id}",
        )  # fmt: skip
    return len(set(sent))
