"""Alerts that stay until somebody of the city has seen the case: post, post again, acknowledge; not what danger is."""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from bot import cases
from bot.cases import Case
from bot.conversation import City
from bot.language import Text
from bot.message import Button, Late, say
from bot.outbox import STAFF_LANE, person_lane, plan

FIRST_ALERT_AGAIN: Final = dt.timedelta(minutes=10)
ALERT_AGAIN: Final = dt.timedelta(minutes=30)
HELP_BUTTON: Final = Button(Text("🆘 112"), "sos")


def post_alert(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Tell the staff group of an urgent case, once more; the case keeps how often and when."""
    plan(db, "alert", Late("alert", {"case": case.id}), now=now, to=STAFF_LANE)
    cases.change(db, case.id, alerts=case.alerts + 1, alerted_at=now)


def escalate(db: sa.Connection, *, city: City, now: dt.datetime) -> int:
    """Post alerts again that nobody has seen: after 10 minutes, then every 30 within DUTY_HOURS. Returns how many."""
    posted = 0
    for case in cases.unacknowledged(db):
        waited = now - (case.alerted_at or case.opened_at)
        first = case.alerts <= 1
        due = waited >= (FIRST_ALERT_AGAIN if first else ALERT_AGAIN)
        if due and (first or city.office.on_duty(now)):
            post_alert(db, case, now)
            posted += 1
    return posted


def acknowledge(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Somebody of the city has seen an urgent case: now that can be said."""
    if cases.acknowledge(db, case.id, now) and case.urgent and case.person_id is not None:
        told = say(Text("A person of the city has seen your message now."), buttons=(HELP_BUTTON,))
        plan(db, "reply", told, now=now, to=person_lane(case.person_id), case_id=case.id)
