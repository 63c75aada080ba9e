"""Lists the work that time brings, for `bot/tick.py` to wake; it must not remember what was done."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import alerts, expiry, handoff, programmes, questions, reminders, roster
from bot.conversation import City
from bot.message import Late
from bot.outbox import STAFF_LANE, plan
from bot.settings import Settings
from bot.tick import Job


def jobs(settings: Settings, city: City) -> list[Job]:
    """What time brings."""
    terms = {
        "parked": settings.keep_parked, "questions": settings.keep_questions, "case_texts": settings.keep_case_texts,
        "bookings": settings.keep_bookings, "silent": settings.keep_silent, "files": settings.keep_files,
    }  # fmt: skip

    def watch(db: sa.Connection, now: dt.datetime) -> None:
        alerts.escalate(db, city=city, now=now)
        handoff.missed_promises(db, city=city, now=now)
        reminders.expire_offers(db, city=city, now=now)
        roster.post_due(db, city=city, now=now)
        if city.staff and questions.week_is_due(db, now.astimezone(city.pack.zone)):
            plan(db, "copy", Late("questions", {}), now=now, to=STAFF_LANE, key=f"questions:{now:%G-%V}")

    def repair(db: sa.Connection, now: dt.datetime) -> None:
        if city.demo:
            programmes.put_demo(db, city.pack.programmes, city.pack.zone, now)
        reminders.repair(db, city=city, now=now)

    return [
        Job("watch", dt.timedelta(seconds=30), watch),
        Job("repair", dt.timedelta(minutes=5), repair),
        Job("expire", dt.timedelta(hours=1), lambda db, now: expiry.expire(db, city=city, now=now, terms=terms)),
    ]
