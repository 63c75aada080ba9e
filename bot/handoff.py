"""Brings cases to staff and their answers back: topics, copies, replies, promises, alerts; not what danger is.

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
from bot.cases import Case, Entry
from bot.channel import Incoming
from bot.conversation import City
from bot.language import Day, Hour, Joined, Said, Text, for_staff
from bot.message import After, Button, Late, Message, say, unpack_message
from bot.outbox import STAFF_LANE, Outcome, case_lane, person_lane, plan
from bot.people import Person
from bot.storage import tables
from bot.storage.vault import unseal

FIRST_ALERT_AGAIN: Final = dt.timedelta(minutes=10)
ALERT_AGAIN: Final = dt.timedelta(minutes=30)
BACK_BUTTON: Final = Button(Text("🤖 Back to the bot"), "bot")
HELP_BUTTON: Final = Button(Text("🆘 112"), "sos")


def _kind(case: Case) -> str:
    return "alert" if case.urgent else "copy"


# --- topics of the staff group ------------------------------------------------------------------------------------


def thread_of(db: sa.Connection, case_id: int) -> int | None:
    """The topic of a case; None while it is being made."""
    found = cases.get(db, case_id)
    return found.thread if found else None


def case_of_thread(db: sa.Connection, thread: int) -> int | None:
    """The case whose topic this is."""
    found = cases.by_thread(db, thread)
    return found.id if found else None


def _plan_topic(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Make the topic, then post the card; what waits in this lane follows."""
    made = Message(action="topic_create", title=Said(case.title))
    plan(db, _kind(case), made, now=now, to=case_lane(case.id), after=After("topic-made", {"case": case.id}))


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
        plan(db, _kind(case), made, now=now, to=case_lane(case.id), due_at=later, after=after)


def plan_card(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Post the card anew."""
    after = After("card-posted", {"case": case.id})
    plan(db, _kind(case), Late("case-card", {"case": case.id}), now=now, to=case_lane(case.id), after=after)


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
        plan(db, _kind(case), Late("case-card", {"case": case.id, "edit": True}), now=now, to=case_lane(case.id))


def topic_gone(db: sa.Connection, case_id: int, *, city: City, now: dt.datetime) -> bool:
    """Somebody deleted the topic: make it anew and post the card again. False: it is closed, nothing more to post."""
    del city
    case = cases.get(db, case_id, lock=True)
    if case is None or case.state == "closed":
        return False
    if case.thread is None:
        return True
    cases.change(db, case.id, thread=None, card_message_id=None)
    _plan_topic(db, case, now)
    plan_card(db, case, now)
    return True


# --- open, write, close -------------------------------------------------------------------------------------------


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
        _plan_topic(db, case, now)
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
            plan(db, _kind(case), _copied_words(words), now=now, to=case_lane(case.id))
        refresh_card(db, case.id, now)
    if urgent:
        _alert(db, case, now)
    return cases.get(db, case.id)


def _copied_words(words: str) -> Message:
    return say(Joined((Said("💬"), Said(words)), " "))


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


def newcomer_writes(db: sa.Connection, case: Case, incoming: Incoming, words: str, now: dt.datetime) -> None:
    """What a newcomer sends while a case is open goes to its topic: a text, a file, an edit, a place, a number."""
    lane, kind = case_lane(case.id), _kind(case)
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
    plan(db, _kind(case), copy, now=now, to=case_lane(case.id))


def send_file(db: sa.Connection, case: Case, media_kind: str, file_id: str, now: dt.datetime) -> None:
    """A file that was kept goes to the topic."""
    known = {"photo": "photo", "document": "document", "voice": "voice"}
    shown = Message(action=known.get(media_kind, "document"), file_id=file_id, media_kind=media_kind)
    plan(db, _kind(case), shown, now=now, to=case_lane(case.id))


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


# --- staff answer -------------------------------------------------------------------------------------------------


def send_reply(db: sa.Connection, case: Case, content: Message, entry: int, now: dt.datetime) -> None:
    """Plan what goes to the newcomer; the outcome is shown in the topic."""
    if case.person_id is None:
        return
    after = After("reply-sent", {"case": case.id, "entry": entry})
    plan(db, "reply", content, now=now, to=person_lane(case.person_id), case_id=case.id, after=after)
    cases.change(db, case.id, state="answered", answered_at=now, promised_at=None, closed_by=None)


def answer_words(words: str) -> Message:
    """What staff wrote in Dutch, with a line above it in the newcomer's language."""
    return say(Text("Answer from the city (in Dutch):"), Said(words), buttons=(BACK_BUTTON,))


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


def acknowledge(db: sa.Connection, case: Case, now: dt.datetime) -> None:
    """Somebody of the city has seen an urgent case: now that can be said."""
    if cases.acknowledge(db, case.id, now) and case.urgent and case.person_id is not None:
        told = say(Text("A person of the city has seen your message now."), buttons=(HELP_BUTTON,))
        plan(db, "reply", told, now=now, to=person_lane(case.person_id), case_id=case.id)


# --- time ---------------------------------------------------------------------------------------------------------


def _alert(db: sa.Connection, case: Case, now: dt.datetime) -> None:
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
            _alert(db, case, now)
            posted += 1
    return posted


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


AFTERS: Final = {
    "topic-made": after_topic_made,
    "card-posted": after_card_posted,
    "reply-sent": after_reply_sent,
}
