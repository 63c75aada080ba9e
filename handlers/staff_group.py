"""What staff write in their group: texts in a topic, /case, /pause, /set; it must not send what is only a note."""

from __future__ import annotations

from bot import case_topics, cases, staff_answers, topics
from bot.cases import Case
from bot.conversation import Reply, Turn, reply
from bot.language import Joined, Said, for_staff
from bot.message import Button, say
from bot.outbox import case_lane, plan
from handlers.case_cards import KINDS, who_answers


def in_topic(turn: Turn) -> Reply:
    """Something is written in the group: from the claimer, in the case's topic, it goes out; all else is a note."""
    case = cases.by_thread(turn.db, turn.thread) if turn.thread is not None else None
    if case is None or case.state == "closed":
        return reply(state=None)
    if case.claimed_by != turn.person.id:
        return _note(turn, case)
    if turn.incoming.kind == "edit":
        entry = cases.entry_of_message(turn.db, case.id, turn.incoming.message_id)
        if entry is not None and entry.who == "staff":
            staff_answers.staff_edits(turn.db, case, entry, turn.said, turn.now)
        return reply(state=None)
    if turn.incoming.media is not None:
        yes = Button(for_staff("✅ Yes, send it"), f"file:{case.id}:{turn.incoming.message_id}")
        asked = say(for_staff("Send this to the newcomer?"), buttons=(yes, Button(for_staff("❌ No"), "nofile")))
        return reply(asked, state=None)
    if turn.said:
        staff_answers.staff_writes(turn.db, case, turn.incoming, turn.said, turn.now)
    return reply(state=None)


def _note(turn: Turn, case: Case) -> Reply:
    """Once per case it is said that this was only a note."""
    if case.claimed_by is None and turn.incoming.kind != "edit":
        hint = say(
            for_staff("This is a note: it was not sent. To answer, take the case."),
            buttons=(Button(for_staff("✋ I answer"), f"claim:{case.id}"),),
        )
        plan(turn.db, "copy", hint, now=turn.now, to=case_lane(case.id), key=f"note:{case.id}")
    return reply(state=None)


def show_case(turn: Turn) -> Reply:
    """/case: in a topic its card again, elsewhere all that is open."""
    case = cases.by_thread(turn.db, turn.thread) if turn.thread is not None else None
    if case is not None:
        case_topics.plan_card(turn.db, case, turn.now)
        return reply(state=None)
    found = cases.all_open(turn.db)
    lines = [
        Joined((Said(one.title), KINDS.get(one.kind, Said(one.kind)), who_answers(turn.db, one)), " · ")
        for one in found
    ]
    return reply(say(Joined(tuple(lines), "\n") if lines else for_staff("No open cases.")), state=None)


def pause(turn: Turn) -> Reply:
    """/pause: the bot stops answering (cards and cases go on); once more: it answers again."""
    paused = topics.set_paused(turn.db, not topics.is_paused(turn.db))
    words = for_staff("The bot is paused: newcomers only get crisis cards and people. /pause switches it on again.")
    return reply(say(words if paused else for_staff("The bot answers again.")), state=None)


def set_value(turn: Turn) -> Reply:
    """/set name value: a local value; the old one is kept."""
    name, _, value = turn.argument.partition(" ")
    known = turn.city.pack.values
    if name not in known:
        near = ", ".join(sorted(key for key in known if name and name[:4] in key)) or "wegwijs content missing"
        return reply(
            say(for_staff("There is no value “{name}”. Near: {near}", name=Said(name), near=Said(near))), state=None
        )
    if name.startswith("n") and known[name].value and not value.strip():
        return reply(say(for_staff("This number cannot be empty.")), state=None)
    old = topics.local_values(turn.db, turn.city.pack)[name]
    topics.set_value(turn.db, name, value.strip(), by=turn.person.id, now=turn.now)
    return reply(
        say(
            for_staff("{name} is now: {value}", name=Said(name), value=Said(value.strip() or "–")),
            for_staff("Before: {value}", value=Said(old or "–")),
        ),
        state=None,
    )


def help_(turn: Turn) -> Reply:
    """An unknown command in the group."""
    del turn
    return reply(
        say(
            for_staff("I know: /case · /sessions · /session · /new · /move · /cancel · /add · /link"),
            Said("/set · /questions · /teach · /pause"),
        ),
        state=None,
    )
