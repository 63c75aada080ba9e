"""Hands what a newcomer says to staff as a case: open, write, promise, close; it must not answer for staff.

Rules: docs/decisions/0011-cases.md.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from bot import cases
from bot.alerts import HELP_BUTTON, post_alert
from bot.case_topics import delivery_kind, plan_card, plan_topic, refresh_card
from bot.cases import Case
from bot.channel import Incoming
from bot.conversation import City
from bot.language import Day, Hour, Joined, Said, Text, for_staff
from bot.message import Button, Message, say
from bot.outbox import case_lane, person_lane, plan
from bot.people import Person

BACK_BUTTON: Final = Button(Text("🤖 Back to the bot"), "bot")


def open_case(
    db: sa.Connection, person: Person, *, words: str, kind: str, city: City, now: dt.datetime, language: str,
    topic: str | None = None, urgent: bool = False, before: str = "", message_id: int = 0,
) -> Case | None:  # fmt: skip
    """Hand something to staff; None when there is no staff group. `before`: the last exchange with the bot.

    A newcomer who has an open case goes on in it; it becomes urgent when this is. `message_id`: the newcomer's own
    message, so that it can be deleted when they wish.
    """
    if not city.staff:
        return None
    case = cases.live_of(db, person.id)
    if case is None:
        promised = None if urgent else city.office.promise(now)
        case = cases.make(
            db, person.id, kind=kind, urgent=urgent, language=language, topic=topic, promised_at=promised, now=now
        )
        if before:
            cases.add_entry(db, case.id, "before", before, now)
        if words:
            cases.add_entry(db, case.id, "newcomer", words, now, chat_message_id=message_id or None)
        plan_topic(db, case, now)
        plan_card(db, case, now)
    else:
        if words:
            cases.add_entry(db, case.id, "newcomer", words, now, chat_message_id=message_id or None)
        if case.closed_by is not None:
            cases.change(db, case.id, closed_by=None)
        if urgent:
            was = case
            cases.change(
                db, case.id, urgent=True, kind=kind, topic=topic or case.topic, alerts=0, alerted_at=None,
                acknowledged_at=None, not_meant=False,
            )  # fmt: skip
            case = cases.get(db, case.id) or case
            if not was.urgent:
                rename = Message(action="topic_edit", title=Said(case.title))
                plan(db, "alert", rename, now=now, to=case_lane(case.id))
        if words:
            plan(db, delivery_kind(case), _copied_words(words), now=now, to=case_lane(case.id))
        refresh_card(db, case.id, now)
    if urgent:
        post_alert(db, case, now)
    return cases.get(db, case.id)


def _copied_words(words: str) -> Message:
    return say(Joined((Said("💬"), Said(words)), " "))


def newcomer_writes(db: sa.Connection, case: Case, incoming: Incoming, words: str, now: dt.datetime) -> None:
    """What a newcomer sends while a case is open goes to its topic: a text, a file, an edit, a place, a number."""
    lane, kind = case_lane(case.id), delivery_kind(case)
    if incoming.kind == "edit":
        cases.add_entry(db, case.id, "newcomer", words, now)
        plan(db, kind, say(for_staff("✏️ Changed: {words}", words=Said(words))), now=now, to=lane)
    elif incoming.place is not None:
        plan(db, kind, say(for_staff("📍 The newcomer sent where they are:")), now=now, to=lane)
        plan(db, kind, Message(action="location", place=incoming.place), now=now, to=lane)
    elif incoming.phone:
        cases.add_entry(db, case.id, "newcomer", incoming.phone, now)
        words_ = for_staff("📞 The newcomer sent their number: {number}", number=Said(incoming.phone))
        plan(db, kind, say(words_), now=now, to=lane)
    elif incoming.media is not None:
        cases.add_entry(db, case.id, "newcomer", f"[{incoming.media.kind}] {words}".strip(), now)
        copy_file(db, case, incoming.message_id, now)
    else:
        cases.add_entry(db, case.id, "newcomer", words, now, chat_message_id=incoming.message_id)
        plan(db, kind, _copied_words(words), now=now, to=lane)
    if case.state == "answered":
        cases.change(db, case.id, state="claimed" if case.claimed_by else "open", answered_at=None)


def copy_file(db: sa.Connection, case: Case, message_id: int, now: dt.datetime) -> None:
    """A file of the newcomer's chat goes to the topic."""
    copy = Message(action="copy", from_person=case.person_id or "", message_id=message_id)
    plan(db, delivery_kind(case), copy, now=now, to=case_lane(case.id))


def send_file(db: sa.Connection, case: Case, media_kind: str, file_id: str, now: dt.datetime) -> None:
    """A file that was kept goes to the topic."""
    known = {"photo": "photo", "document": "document", "voice": "voice"}
    shown = Message(action=known.get(media_kind, "document"), file_id=file_id, media_kind=media_kind)
    plan(db, delivery_kind(case), shown, now=now, to=case_lane(case.id))


def close(db: sa.Connection, case: Case, by: str, now: dt.datetime) -> bool:
    """Close a case and its topic; False when it was closed."""
    if not cases.close(db, case.id, by, now):
        return False
    refresh_card(db, case.id, now)
    plan(db, "copy", Message(action="topic_close"), now=now, to=case_lane(case.id))
    return True


def back_to_bot(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """The newcomer writes with the bot again: a question is closed; what is urgent stays with staff and is watched.

    Somebody else may hold the phone: one tap must not end an alert.
    """
    if case.urgent:
        cases.change(db, case.id, closed_by="person")
    else:
        close(db, case, "person", now)


def reopen(db: sa.Connection, case: Case, *, city: City, now: dt.datetime) -> Case:
    """Open a closed case again, with a new promise."""
    cases.change(
        db, case.id, state="open", claimed_by=None, closed_at=None, closed_by=None, answered_at=None,
        promised_at=city.office.promise(now),
    )  # fmt: skip
    plan(db, "copy", Message(action="topic_reopen"), now=now, to=case_lane(case.id))
    refresh_card(db, case.id, now)
    return cases.get(db, case.id) or case


def promise_words(case: Case, city: City) -> Text:
    """Before when a person answers."""
    if case.promised_at is None:
        return Text("A person of the city answers as soon as possible.")
    local = case.promised_at.astimezone(city.pack.zone)
    return Text(
        "A person of the city answers before {day}, {time}.",
        day=Day(local.date().isoformat()),
        time=Hour(f"{local:%H:%M}"),
    )


def missed_promises(db: sa.Connection, *, city: City, now: dt.datetime) -> int:
    """A promise that was not kept: the newcomer hears a new honest one, staff are told. Returns how many."""
    found = cases.promises_due(db, now)
    for case in found:
        cases.change(db, case.id, promised_at=city.office.promise(now))
        renewed = cases.get(db, case.id) or case
        if case.person_id is not None:
            words = say(
                Text("I am sorry. Nobody has answered you yet."),
                promise_words(renewed, city),
                buttons=(BACK_BUTTON, HELP_BUTTON),
            )
            key = f"promise:{case.id}:{now:%Y%m%d%H%M}"
            plan(db, "change", words, now=now, to=person_lane(case.person_id), key=key)
        plan(
            db,
            "copy",
            say(for_staff("⏰ The promise was missed; the newcomer was told a new time.")),
            now=now,
            to=case_lane(case.id),
        )
        refresh_card(db, case.id, now)
    return len(found)
