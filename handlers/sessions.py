"""Programmes to choose from, and one's own sessions: I can't come, I am late, where is it; it signs nobody up."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Final

from bot import programmes, reminders, sessions
from bot.conversation import NOWHERE, Reply, Turn, reply
from bot.interest import add_interest
from bot.language import Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from bot.programmes import Programme, Session
from bot.sessions import Booking
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON, number, out_of_date
from handlers.session_words import for_whom, grouped, heading, names, place_lines, state_words, when

MINE_BUTTON: Final = Button(Text("📅 My sessions"), "sessions")
_SHOWN_MOST: Final = 12


def all_programmes(turn: Turn) -> Reply:
    """Tap "courses and groups"."""
    found = programmes.visible(turn.db, demo=turn.city.demo)
    buttons = [Button(heading(one), f"programme:{one.id}") for one in found]
    if not found:
        words = Text("There are no courses or groups to sign up for now. A person of the city can tell you more.")
        return reply(say(words, buttons=(PERSON_BUTTON, MENU_BUTTON)))
    return reply(say(Text("Courses and groups: which one?"), buttons=(*buttons, MINE_BUTTON, MENU_BUTTON)))


def programme(turn: Turn) -> Reply:
    """Tap on a programme: for whom, where, what it costs, when, and how full."""
    found = programmes.get(turn.db, turn.argument, demo=turn.city.demo)
    return out_of_date(turn) if found is None else reply(programme_message(turn, found))


def programme_message(turn: Turn, found: Programme) -> Message:
    """All that is known about a programme, with the button to sign up or to hear of the dates."""
    days = programmes.upcoming(turn.db, found.id, turn.now)[:_SHOWN_MOST]
    parts: list[Sayable] = [heading(found), Joined((for_whom(found), *place_lines(found)), "\n")]
    buttons: list[Button] = []
    if days:
        lines = tuple(Joined((when(day), Said(sessions.dots(day.taken, day.seats))), "  ") for day in days)
        parts += [Joined(lines, "\n"), Text("● taken, ○ free. When it is full, there is a waiting list.")]
        buttons.append(Button(Text("✍️ Sign up"), f"signup:{found.id}"))
    else:
        parts.append(Text("The dates are not known yet."))
        buttons.append(Button(Text("🔔 Tell me when the dates are known"), f"interest:{found.id}"))
    if found.topic in turn.city.pack.topics:
        buttons.append(Button(Text("ℹ️ What is this?"), f"topic:{found.topic}"))
    return say(*parts, buttons=(*buttons, PERSON_BUTTON, MENU_BUTTON))


def interest(turn: Turn) -> Reply:
    """Tap 🔔."""
    found = programmes.get(turn.db, turn.argument, demo=turn.city.demo)
    if found is None:
        return out_of_date(turn)
    add_interest(turn.db, turn.person.id, found.id, turn.now)
    words = Text("Good. I write to you when the dates of {title} are known.", title=found.title_text)
    return reply(say(words, buttons=(MENU_BUTTON, HELP_BUTTON)))


def below_answer(turn: Turn, topic_id: str) -> tuple[list[Sayable], list[Button]]:
    """The next three sessions with free places that fit a topic, and buttons for them."""
    offered = programmes.visible(turn.db, demo=turn.city.demo)
    own = [one for one in offered if one.topic == topic_id]
    near = own or [one for one in offered if not one.discreet]
    if not near:
        return [], []
    free = programmes.with_places(turn.db, [one.id for one in near], turn.now, 3)
    by_id = {one.id: one for one in near}
    parts: list[Sayable] = []
    if free:
        lines = [Joined((heading(by_id[one.programme_id]), when(one)), ": ") for one in free]
        parts.append(Joined((Text("Next dates with free places:"), *lines), "\n"))
    shown = dict.fromkeys([*(one.programme_id for one in free), *(one.id for one in own)])
    return parts, [Button(heading(by_id[name]), f"programme:{name}") for name in list(shown)[:3]]


# --- one's own sessions -------------------------------------------------------------------------------------------


def mine(turn: Turn) -> Reply:
    """Tap "my sessions", /sessions, or asked in words."""
    found = grouped(sessions.own(turn.db, turn.person.id, turn.now))
    if not found:
        words = Text("You have not signed up for anything yet.")
        more = Button(Text("📅 Courses and groups"), "programmes")
        return reply(say(words, buttons=(more, MENU_BUTTON, HELP_BUTTON)))
    if len(found) == 1:
        return reply(_one(turn, *found[0]))
    titles = {one.id: one for one in programmes.visible(turn.db, demo=True)}
    buttons = [
        Button(Joined((Said(titles[day.programme_id].emoji), when(day)), " "), f"mine:{day.id}")
        for day, _ in found[:_SHOWN_MOST]
        if day.programme_id in titles
    ]
    lines = [
        Joined((heading(titles[name]), names({one.participant.id: one.participant for _, all_ in found for one in all_
                                               if one.session.programme_id == name}.values())), ": ")
        for name in dict.fromkeys(day.programme_id for day, _ in found)
        if name in titles
    ]  # fmt: skip
    return reply(
        say(Text("Your sessions. Which one?"), Joined(tuple(lines), "\n"), buttons=(*buttons, MENU_BUTTON, HELP_BUTTON))
    )


def mine_one(turn: Turn) -> Reply:
    """Tap on one of one's own sessions."""
    found = _own(turn, turn.argument)
    return out_of_date(turn) if not found else reply(_one(turn, found[0].session, found))


def _own(turn: Turn, argument: str) -> list[Booking]:
    """One's own bookings in the session that a button names; empty for anything else."""
    found = number(argument)
    return sessions.own(turn.db, turn.person.id, turn.now, session_id=found) if found else []


def _one(turn: Turn, session: Session, bookings: Sequence[Booking]) -> Message:
    found = programmes.of_session(turn.db, session)
    lines = tuple(state_words(one, sessions.waiting_place(turn.db, one)) for one in bookings)
    buttons = []
    for one in bookings:
        if one.state == "offered":
            buttons.append(
                Button(Text("✅ Yes, {name} takes the place", name=Said(one.participant.name)), f"take:{one.id}")
            )
            buttons.append(Button(Text("❌ No, not {name}", name=Said(one.participant.name)), f"leave:{one.id}"))
    if any(one.state == "booked" for one in bookings):
        buttons += [
            Button(Text("✅ I am coming"), f"coming:{session.id}"),
            Button(Text("❌ I can't come"), f"cannot:{session.id}"),
            Button(Text("⏰ I am late"), f"late:{session.id}"),
        ]
    elif bookings and bookings[0].state == "waiting":
        buttons.append(Button(Text("❌ I can't come"), f"cannot:{session.id}"))
    if found.place or found.venue:
        buttons.append(Button(Text("📍 Where is it?"), f"where:{session.id}"))
    return say(
        heading(found), when(session), Joined(lines, "\n"), Joined(tuple(place_lines(found)), "\n"),
        buttons=(*buttons, MENU_BUTTON),
    )  # fmt: skip


def coming(turn: Turn) -> Reply:
    """Tap "I am coming" (all of them)."""
    found = [one for one in _own(turn, turn.argument) if one.state == "booked"]
    if not found:
        return out_of_date(turn)
    sessions.set_coming(turn.db, found, turn.now)
    words = Text("Good. See you on {when}.", when=when(found[0].session))
    return reply(say(words, buttons=(Button(Text("📍 Where is it?"), f"where:{found[0].session.id}"), MENU_BUTTON)))


def late(turn: Turn) -> Reply:
    """Tap "I am late": the place is kept."""
    found = [one for one in _own(turn, turn.argument) if one.state == "booked"]
    if not found:
        return out_of_date(turn)
    sessions.set_late(turn.db, found, turn.now)
    words = Text("Thank you for telling. Your place is kept. The teacher sees that you come later.")
    return reply(say(words, buttons=(Button(Text("📍 Where is it?"), f"where:{found[0].session.id}"), MENU_BUTTON)))


def where(turn: Turn) -> Reply:
    """Tap "where is it?": words, and a pin when the place is known."""
    found = _own(turn, turn.argument)
    if not found:
        return out_of_date(turn)
    about = programmes.of_session(turn.db, found[0].session)
    place = about.field_text("place")
    buttons = (MENU_BUTTON, PERSON_BUTTON)
    if place is None:
        return reply(say(Text("📍 The place is not known yet."), buttons=buttons))
    if about.venue is None:
        return reply(say(Text("📍 {place}", place=place), buttons=buttons))
    pin = Message(action="venue", title=about.title_text, address=place, place=about.venue, buttons=buttons)
    return reply(pin)


def cannot(turn: Turn) -> Reply:
    """Tap "I can't come": asks once, with name and day; this day or all."""
    found = _own(turn, turn.argument)
    if not found:
        return out_of_date(turn)
    session = found[0].session
    buttons = [
        Button(Text("❌ {name} can't come on this day", name=Said(one.participant.name)), f"no:{one.id}")
        for one in found
    ]
    if len(found) > 1:
        buttons.append(Button(Text("❌ Nobody comes on this day"), f"noday:{session.id}"))
    days = {
        one.session.id for one in sessions.own(turn.db, turn.person.id, turn.now, programme_id=session.programme_id)
    }
    if len(days) > 1:
        buttons.append(Button(Text("❌ Not on all the other days either"), f"noprog:{session.programme_id}"))
    buttons.append(Button(Text("✅ I am coming"), f"coming:{session.id}"))
    words = Text("Who can't come on {when}? Another person then gets the place.", when=when(session))
    return reply(say(words, buttons=(*buttons, MENU_BUTTON)), state=None)


def _cancelled(turn: Turn, found: list[Booking]) -> Reply:
    if not found:
        return out_of_date(turn)
    reminders.cancel(turn.db, found, "person", city=turn.city, now=turn.now)
    days = tuple(when(session) for session, _ in grouped(found))
    who = {one.participant.id: one.participant for one in found}
    words = Text("Thank you for telling. {names}: not coming on", names=names(who.values()))
    again = Button(Text("✍️ Sign up again"), f"signup:{found[0].session.programme_id}")
    return reply(say(Joined((words, *days), "\n"), buttons=(again, MINE_BUTTON, MENU_BUTTON)))


def no(turn: Turn) -> Reply:
    """Tap: this one cannot come on this day."""
    return _cancelled(turn, [one for one in _all(turn) if str(one.id) == turn.argument])


def no_day(turn: Turn) -> Reply:
    """Tap: nobody comes on this day."""
    return _cancelled(turn, [one for one in _all(turn) if str(one.session.id) == turn.argument])


def no_programme(turn: Turn) -> Reply:
    """Tap: not on any day of the programme."""
    return _cancelled(turn, [one for one in _all(turn) if one.session.programme_id == turn.argument])


def _all(turn: Turn) -> list[Booking]:
    return sessions.own(turn.db, turn.person.id, turn.now)


def _offer(turn: Turn) -> Booking | None:
    return next((one for one in _all(turn) if str(one.id) == turn.argument and one.state == "offered"), None)


def take(turn: Turn) -> Reply:
    """Tap: yes to an offered place."""
    found = _offer(turn)
    if found is None or not reminders.accept(turn.db, found, city=turn.city, now=turn.now):
        words = Text("I am sorry, this place is no longer free. You are not signed up for this day.")
        return reply(say(words, buttons=(MINE_BUTTON, MENU_BUTTON)))
    words = Text("Good. {name} has a place on {when}.", name=Said(found.participant.name), when=when(found.session))
    where_button = Button(Text("📍 Where is it?"), f"where:{found.session.id}")
    return reply(say(words, buttons=(where_button, MINE_BUTTON, MENU_BUTTON)))


def leave(turn: Turn) -> Reply:
    """Tap: no to an offered place."""
    found = _offer(turn)
    return out_of_date(turn) if found is None else _cancelled(turn, [found])


def cancel_in_words(turn: Turn) -> Reply:
    """Said in words: cannot come. Which session?"""
    return _choose(turn, "cannot", cannot)


def late_in_words(turn: Turn) -> Reply:
    """Said in words: will be late. Which session?"""
    return _choose(turn, "late", late)


def _choose(turn: Turn, route: str, act: Callable[[Turn], Reply]) -> Reply:
    found = grouped([one for one in _all(turn) if one.state in {"booked", "waiting"}])
    if not found:
        return mine(turn)
    if len(found) == 1:
        return act(dataclasses.replace(turn, argument=str(found[0][0].id)))
    buttons = [Button(when(day), f"{route}:{day.id}") for day, _ in found[:_SHOWN_MOST]]
    return reply(say(Text("Which day do you mean?"), buttons=(*buttons, MENU_BUTTON)), state=NOWHERE)
