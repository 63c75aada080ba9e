"""Brings what staff answer to the newcomer, and to staff what became of it; it must not choose who may answer.

Only the text of the member of staff who claimed a case goes out. Rules: docs/decisions/0011-cases.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from bot import cases
from bot.alerts import acknowledge
from bot.cases import Case, Entry
from bot.channel import Incoming
from bot.conversation import City
from bot.handoff import BACK_BUTTON
from bot.language import Said, Text, for_staff
from bot.message import After, Button, Message, say, unpack_message
from bot.outbox import Outcome, case_lane, person_lane, plan
from bot.storage import tables
from bot.storage.vault import unseal


def answer_words(words: str) -> Message:
    """What staff wrote in Dutch, with a line above it in the newcomer's language."""
    return say(Text("Answer from the city (in Dutch):"), Said(words), buttons=(BACK_BUTTON,))


def send_reply(db: sa.Connection, case: Case, content: Message, entry: int, now: dt.datetime) -> None:
    """Plan what goes to the newcomer; the outcome is shown in the topic."""
    if case.person_id is None:
        return
    after = After("reply-sent", {"case": case.id, "entry": entry})
    plan(db, "reply", content, now=now, to=person_lane(case.person_id), case_id=case.id, after=after)
    cases.change(db, case.id, state="answered", answered_at=now, promised_at=None, closed_by=None)


def staff_writes(db: sa.Connection, case: Case, incoming: Incoming, words: str, now: dt.datetime) -> None:
    """The claimer's text goes out, in Dutch, with a line above it in the newcomer's language."""
    entry = cases.add_entry(db, case.id, "staff", words, now, topic_message_id=incoming.message_id, state="planned")
    acknowledge(db, case, now)
    send_reply(db, case, answer_words(words), entry, now)


def resend(db: sa.Connection, case: Case, entry: Entry, now: dt.datetime) -> bool:
    """Send again, as it was, what may not have arrived; False when that is no longer the question."""
    box = tables.outbox
    rows = db.execute(
        sa.select(box.c.id, box.c.body_sealed).where(box.c.case_id == case.id, box.c.state == "uncertain")
    )
    for row in rows:
        body = json.loads(unseal(db, row.body_sealed) or "{}")
        if body.get("after", {}).get("data", {}).get("entry") == entry.id and "m" in body:
            db.execute(sa.update(box).where(box.c.id == row.id).values(state="superseded", body_sealed=None))
            cases.change_entry(db, entry.id, state="planned")
            send_reply(db, case, unpack_message(body["m"]), entry.id, now)
            return True
    return False


def after_reply_sent(
    db: sa.Connection, data: Mapping[str, Any], outcome: Outcome, *, city: City, now: dt.datetime
) -> None:
    """Show staff what became of their answer: sent (with undo), not known (send again?), refused."""
    del city
    entry = cases.entry(db, int(data["entry"]))
    if entry is None:
        return
    lane = case_lane(entry.case_id)
    cases.change_entry(db, entry.id, state=outcome.state, chat_message_id=outcome.message_id or entry.chat_message_id)
    if entry.state == "edited" and outcome.state == "sent":
        case, sent = cases.get(db, entry.case_id), cases.entry(db, entry.id)
        if case is not None and sent is not None:
            staff_edits(db, case, sent, sent.words, now)
    match outcome.state:
        case "sent":
            shown = say(for_staff("✓ sent"), buttons=(Button(for_staff("↩️ Undo"), f"undo:{entry.id}"),))
        case "uncertain":
            again = Button(for_staff("🔁 Send again"), f"resend:{entry.id}")
            shown = say(for_staff("It is not known whether this arrived. Send it again?"), buttons=(again,))
        case "refused":
            shown = say(for_staff("Not delivered: this person has blocked the bot, or left."))
        case _:
            return
    plan(db, "copy", _answering(shown, entry), now=now, to=lane)


def _answering(message: Message, entry: Entry) -> Message:
    return dataclasses.replace(message, reply_to=entry.topic_message_id)


def staff_edits(db: sa.Connection, case: Case, entry: Entry, words: str, now: dt.datetime) -> None:
    """The claimer changed their text: the newcomer's copy follows."""
    cases.change_entry(db, entry.id, words=words)
    if entry.state == "planned":  # the old words may be on their way: changed when they have arrived
        cases.change_entry(db, entry.id, state="edited")
    if entry.chat_message_id and case.person_id and entry.state == "sent":
        changed = dataclasses.replace(answer_words(words), action="edit", message_id=entry.chat_message_id)
        plan(db, "reply", changed, now=now, to=person_lane(case.person_id), case_id=case.id)


def undo(db: sa.Connection, case: Case, entry: Entry, *, city: City, now: dt.datetime) -> bool:
    """Take an answer back out of the newcomer's chat, which then waits for one again; False when it cannot be."""
    if entry.state != "sent" or not entry.chat_message_id or case.person_id is None:
        return False
    cases.change_entry(db, entry.id, state="undone")
    gone = Message(action="delete", message_id=entry.chat_message_id)
    plan(db, "reply", gone, now=now, to=person_lane(case.person_id), case_id=case.id)
    if case.state == "answered" and not any(one.who == "staff" and one.state == "sent" for one in _later(db, entry)):
        promised = None if case.urgent else city.office.promise(now)
        state = "claimed" if case.claimed_by else "open"
        cases.change(db, case.id, state=state, answered_at=None, promised_at=promised)
    return True


def _later(db: sa.Connection, entry: Entry) -> list[Entry]:
    return [one for one in cases.entries(db, entry.case_id) if one.id > entry.id]


AFTERS: Final = {
    "reply-sent": after_reply_sent,
}
