"""The topics of the staff group, one per case, and the card in each; it must not decide what a case is or who answers.

The words of a card are found when it leaves (`handlers/case_cards.py`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from bot import cases
from bot.cases import Case
from bot.conversation import City
from bot.language import Said
from bot.message import After, Late, Message
from bot.outbox import Outcome, case_lane, plan


def delivery_kind(case: Case) -> str:
    """How what goes to the topic of a case is treated on its way: what is urgent as an alert."""
    return "alert" if case.urgent else "copy"


def thread_of(db: sa.Connection, case_id: int) -> int | None:
    """The topic of a case; None while it is being made."""
    found = cases.get(db, case_id)
    return found.thread if found else None


def case_of_thread(db: sa.Connection, thread: int) -> int | None:
    """The case whose topic this is."""
    found = cases.by_thread(db, thread)
    return found.id if found else None


def plan_topic(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Make the topic, then post the card; what waits in this lane follows."""
    made = Message(action="topic_create", title=Said(case.title))
    plan(db, delivery_kind(case), made, now=now, to=case_lane(case.id), after=After("topic-made", {"case": case.id}))


def after_topic_made(
    db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
) -> None:
    """Keep the topic's id in the commit that marks it made. What could not be made is tried again in a minute."""
    del city
    case = cases.get(db, int(data["case"]))
    if case is None or case.thread is not None:
        return
    if outcome.thread is not None:
        cases.change(db, case.id, thread=outcome.thread)
        if case.closed_by == "erased":  # erased while its topic was being made
            plan(db, "copy", Message(action="topic_delete"), now=now, to=case_lane(case.id))
    elif outcome.state in {"refused", "uncertain"}:
        made = Message(action="topic_create", title=Said(case.title))
        later = now + dt.timedelta(minutes=1)
        after = After("topic-made", {"case": case.id})
        plan(db, delivery_kind(case), made, now=now, to=case_lane(case.id), due_at=later, after=after)


def plan_card(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Post the card anew."""
    after = After("card-posted", {"case": case.id})
    plan(db, delivery_kind(case), Late("case-card", {"case": case.id}), now=now, to=case_lane(case.id), after=after)


def after_card_posted(
    db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
) -> None:
    """Keep where the card stands, to change it later."""
    del city, now
    if outcome.message_id:
        cases.change(db, int(data["case"]), card_message_id=outcome.message_id)


def refresh_card(db: sa.Connection, case_id: int, now: dt.datetime) -> None:
    """Change the card to what is now."""
    case = cases.get(db, case_id)
    if case is not None and case.card_message_id:
        card = Late("case-card", {"case": case.id, "edit": True})
        plan(db, delivery_kind(case), card, now=now, to=case_lane(case.id))


def topic_gone(db: sa.Connection, case_id: int, *, city: City, now: dt.datetime) -> bool:
    """Somebody deleted the topic: make it anew and post the card again. False: it is closed, nothing more to post."""
    del city
    case = cases.get(db, case_id, lock=True)
    if case is None or case.state == "closed":
        return False
    if case.thread is None:
        return True
    cases.change(db, case.id, thread=None, card_message_id=None)
    plan_topic(db, case, now)
    plan_card(db, case, now)
    return True


AFTERS: Final = {
    "topic-made": after_topic_made,
    "card-posted": after_card_posted,
}
