"""Signs somebody up, one question at a time: who, name, age, which days; it must book through `reminders` alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

from bot import join_codes, participants, programmes, reminders, sessions
from bot.conversation import Reply, State, Turn, reply
from bot.language import Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from bot.participants import Participant
from bot.programmes import Programme, Session
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON, number, out_of_date
from handlers.session_words import for_whom, heading, names, when
from handlers.sessions import MINE_BUTTON, all_programmes, programme_message

CHOOSING: Final = "signup"
NAME: Final = "signup-name"
AGE: Final = "signup-age"
SIGNING: Final = (CHOOSING, NAME, AGE)
"""Somebody is signing up."""
CHILDREN_MOST: Final = 8
_AGE_LEAST: Final = 1
_DIGITS_MOST: Final = 3


def programme_start(turn: Turn, programme_id: str) -> Reply:
    """A deep link to a programme."""
    found = programmes.get(turn.db, programme_id, demo=turn.city.demo)
    return out_of_date(turn) if found is None else reply(programme_message(turn, found))


def begin(turn: Turn) -> Reply:
    """Tap "sign up": for whom?"""
    found = programmes.get(turn.db, turn.argument, demo=turn.city.demo)
    if found is None:
        return out_of_date(turn)
    if not programmes.upcoming(turn.db, found.id, turn.now):
        return reply(programme_message(turn, found))
    return _who(turn, found, {"programme": found.id, "who": [], "out": []})


def in_words(turn: Turn) -> Reply:
    """Said in words: wants to sign up. For what?"""
    return all_programmes(turn)


def _load(turn: Turn) -> tuple[Programme, dict[str, Any], list[Participant]] | None:
    """What is known so far; None when nothing is open (an old button)."""
    if turn.state.name not in {CHOOSING, NAME, AGE}:
        return None
    data = dict(turn.state.data)
    found = programmes.get(turn.db, str(data.get("programme")), demo=turn.city.demo)
    if found is None:
        return None
    known = {one.id: one for one in participants.participants(turn.db, turn.person.id)}
    return found, data, [known[number] for number in data["who"] if number in known]


def _who(turn: Turn, found: Programme, data: Mapping[str, Any], *first: Sayable) -> Reply:
    """Which of those we know, a new child, or oneself."""
    known = [one for one in participants.participants(turn.db, turn.person.id) if one.id not in data["who"]]
    fitting = [one for one in known if _may(found, one)]
    buttons = [Button(Text("👤 {name}", name=Said(one.name)), f"who:{one.id}") for one in fitting[:CHILDREN_MOST]]
    children = found.who in {"everybody", "ages"}
    if not any(not one.child for one in known) and not any(_is_self(turn, number) for number in data["who"]):
        buttons.append(Button(Text("🙋 For myself"), "who:me"))
    if children:
        buttons.append(Button(Text("🧒 For a child"), "who:child"))
    words = (*first, heading(found), for_whom(found), Text("Who do you want to sign up?"))
    return reply(say(*words, buttons=(*buttons, MENU_BUTTON)), state=State(CHOOSING, data))


def _may(found: Programme, one: Participant) -> bool:
    """Whether somebody whom we know may take part: a child is no adult, also when the age is not known."""
    return not (one.child and found.who in {"adults", "women"}) and not participants.misfit(found, one.age)


def _is_self(turn: Turn, number: int) -> bool:
    found = participants.participant(turn.db, number, turn.person.id)
    return found is not None and not found.child


def who(turn: Turn) -> Reply:
    """Tap: oneself, a child, or a name we know."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, _ = loaded
    if turn.argument in {"me", "child"}:
        data["child"] = turn.argument == "child"
        return _ask_name(data)
    chosen = participants.participant(turn.db, number(turn.argument), turn.person.id)
    if chosen is None:
        return out_of_date(turn)
    if chosen.id in data["who"]:
        return _summary(turn, found, data, Text("{name} is already on the list.", name=Said(chosen.name)))
    return _with_age(turn, found, data, chosen)


def _ask_name(data: Mapping[str, Any]) -> Reply:
    question = (
        Text("What is the first name or nickname of the child?")
        if data.get("child")
        else Text("What is your first name or nickname?")
    )
    why = Text("Now I ask for a name. It is for the list. Only the teacher and the staff of the city see it.")
    return reply(say(why, question, buttons=(MENU_BUTTON,)), state=State(NAME, data))


def name(turn: Turn) -> Reply:
    """The name that was written."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, chosen = loaded
    written = " ".join(turn.said.split())
    if not any(char.isalpha() for char in written) or len(written) > participants.NAME_MOST or "://" in written:
        words = Text("Please write only a first name or nickname, at most {n} letters.", n=participants.NAME_MOST)
        return reply(say(words, buttons=(MENU_BUTTON,)), state=None)
    made, new = participants.add_participant(
        turn.db, turn.person.id, written, child=bool(data.get("child")), age=None, now=turn.now
    )
    if not new and any(one.id == made.id for one in chosen):
        return _summary(turn, found, data, Text("{name} is already on the list.", name=Said(made.name)))
    return _with_age(turn, found, data, made)


def _with_age(turn: Turn, found: Programme, data: dict[str, Any], one: Participant) -> Reply:
    """Ask the age when the programme needs it and it is not known; otherwise go on."""
    if participants.asks_age(found) and one.age is None:
        data["asking"] = one.id
        words = Text("How old is {name}? Write only the number.", name=Said(one.name))
        return reply(say(words, buttons=(MENU_BUTTON,)), state=State(AGE, data))
    if not _may(found, one):
        return _misfit(turn, found, data, one)
    data["who"] = [*data["who"], one.id]
    return _summary(turn, found, data)


def age(turn: Turn) -> Reply:
    """The age that was written, in any digits."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, _ = loaded
    digits = "".join(char for char in turn.said if char.isdecimal())
    years = int(digits) if 0 < len(digits) <= _DIGITS_MOST else 0
    one = participants.participant(turn.db, int(data.get("asking") or 0), turn.person.id)
    if one is None:
        return out_of_date(turn)
    if not _AGE_LEAST <= years <= participants.AGE_MOST:
        words = Text("Please write the age as a number, for example 13.")
        return reply(say(words, buttons=(MENU_BUTTON,)), state=None)
    participants.set_age(turn.db, one.id, years)
    data.pop("asking", None)
    return _with_age(turn, found, data, dataclasses.replace(one, age=years))


def _misfit(turn: Turn, found: Programme, data: Mapping[str, Any], one: Participant) -> Reply:
    del turn
    words = Text("I am sorry, this is not for the age of {name}.", name=Said(one.name))
    buttons = (
        Button(Text("🧒 Somebody else"), f"signup:{found.id}"),
        Button(Text("📅 Other courses and groups"), "programmes"),
        PERSON_BUTTON,
        MENU_BUTTON,
    )
    return reply(say(words, for_whom(found), buttons=buttons), state=State(CHOOSING, data))


def _days(turn: Turn, found: Programme, data: Mapping[str, Any]) -> list[Session]:
    return [one for one in programmes.upcoming(turn.db, found.id, turn.now) if one.id not in data["out"]]


def _summary(turn: Turn, found: Programme, data: Mapping[str, Any], *first: Sayable) -> Reply:
    """Who and which days, before it is done."""
    known = {one.id: one for one in participants.participants(turn.db, turn.person.id)}
    chosen = [known[number] for number in data["who"] if number in known]
    if not chosen:
        return _who(turn, found, data, *first)
    days = _days(turn, found, data)
    lines = tuple(Joined((when(day), Said(sessions.dots(day.taken, day.seats))), "  ") for day in days)
    more = len(programmes.upcoming(turn.db, found.id, turn.now)) > 1
    buttons = [
        Button(Text("✅ Sign up"), "book"),
        *([Button(Text("🧒 Another child"), "who:child")] if found.who in {"everybody", "ages"} else []),
        *([Button(Text("🗓 Leave out a day"), "days")] if more else []),
        MENU_BUTTON,
    ]
    return reply(
        say(
            *first, heading(found), Text("Sign up: {names}", names=names(chosen)), Joined(lines, "\n"), buttons=buttons
        ),
        state=State(CHOOSING, data),
    )


def another(turn: Turn) -> Reply:
    """A text while a button is expected: the summary again."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, _ = loaded
    return _summary(turn, found, data, Text("Please tap a button, or go to the menu."))


def days(turn: Turn) -> Reply:
    """Tap "leave out a day", and each day in turn."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, _ = loaded
    every = programmes.upcoming(turn.db, found.id, turn.now)
    tapped = next((one.id for one in every if str(one.id) == turn.argument), None)
    if turn.argument and tapped is None:
        return out_of_date(turn)
    if tapped is not None:
        out = set(data["out"]) ^ {tapped}
        if len(out) < len(every):
            data["out"] = sorted(out)
    buttons = [
        Button(Joined((Said("⬜" if one.id in data["out"] else "✅"), when(one)), " "), f"days:{one.id}")
        for one in every
    ]
    words = Text("Tap a day to leave it out or to take it again.")
    ready = Button(Text("👍 Ready"), "ready")
    return reply(say(words, buttons=(*buttons, ready, MENU_BUTTON)), state=State(CHOOSING, data))


def ready(turn: Turn) -> Reply:
    """Tap "ready": the summary."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, _ = loaded
    return _summary(turn, found, data)


def book(turn: Turn) -> Reply:
    """Tap "sign up": it is done."""
    loaded = _load(turn)
    if loaded is None:
        return out_of_date(turn)
    found, data, chosen = loaded
    chosen_days = _days(turn, found, data)
    if not chosen or not chosen_days:
        return _who(turn, found, data)
    reminders.book(turn.db, turn.person.id, [one.id for one in chosen], chosen_days, city=turn.city, now=turn.now)
    return reply(_done(turn, found, {one.id for one in chosen}, {day.id for day in chosen_days}))


def _done(turn: Turn, found: Programme, who_: set[int], days_: set[int]) -> Message:
    mine = sessions.own(turn.db, turn.person.id, turn.now, programme_id=found.id)
    lines: list[Sayable] = []
    waits = False
    for day in sorted({one.session.id: one.session for one in mine}.values(), key=lambda one: one.starts_at):
        if day.id not in days_:
            continue
        booked = [one.participant for one in mine if one.session.id == day.id and one.state != "waiting"]
        waiting = [
            one for one in mine if one.session.id == day.id and one.state == "waiting" and one.participant.id in who_
        ]
        if booked:
            lines.append(Joined((Said("✅"), when(day), Said("·"), names(booked)), " "))
        for one in waiting:
            waits = True
            place_in_line = sessions.waiting_place(turn.db, one)
            name = Said(one.participant.name)
            lines.append(Text("⏳ {when} {name}: waiting list, place {n}", when=when(day), name=name, n=place_in_line))
    words: list[Sayable] = [heading(found), Text("You are signed up. I will remind you."), Joined(tuple(lines), "\n")]
    if waits:
        words[1] = Text("It is full on some days. When a place is free, I write to you.")
    place = found.field_text("place")
    if place:
        words.append(Text("📍 {place}", place=place))
    bring = found.field_text("bring")
    if bring:
        words.append(Text("🎒 Bring: {things}", things=bring))
    return say(*words, buttons=(MINE_BUTTON, MENU_BUTTON, HELP_BUTTON))


def join(turn: Turn, code: str) -> Reply:
    """A deep link for a child that staff enrolled on paper."""
    found = join_codes.redeem(turn.db, turn.person.id, code, turn.now)
    if found is None:
        words = Text("This link was used already, or it is not right. Please ask the person who gave it to you.")
        return reply(say(words, buttons=(PERSON_BUTTON, MENU_BUTTON, HELP_BUTTON)))
    programme_id, child = found
    for one in sessions.own(turn.db, turn.person.id, turn.now, programme_id=programme_id):
        if one.state == "booked":
            reminders.plan_reminders(turn.db, turn.person.id, one.session, turn.city, turn.now)
    about = programmes.get(turn.db, programme_id, demo=turn.city.demo)
    title = about.title_text if about else Said("")
    words = Text("{name} is signed up: {title}. I will remind you.", name=Said(child.name), title=title)
    return reply(say(words, buttons=(MINE_BUTTON, MENU_BUTTON, HELP_BUTTON)))
