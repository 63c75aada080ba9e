"""What comes by itself: reminders, changes, places from the waiting list; written when it leaves.

Each function is a renderer: it looks at the world again, and None means that it is no longer useful.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from bot import programmes, reminders, sessions
from bot.conversation import City
from bot.language import Day, Hour, Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from bot.programmes import Programme, Session
from bot.sessions import Booking
from handlers.common import MENU_BUTTON
from handlers.session_words import NEUTRAL, heading, names, opening, when, when_words
from handlers.sessions import MINE_BUTTON

Db = Any  # the open transaction; a handler passes it on and does nothing with it


def reminder(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """One reminder per person and session, naming all her children in it; those of one evening in one message."""
    del city
    found = reminders.due_together(db, data, now)
    if not found:
        return None
    told = [(programmes.of_session(db, bookings[0].session), bookings) for bookings in found]
    if len(told) == 1:
        about, bookings = told[0]
        return say(*opening(about), *_reminded(about, bookings), buttons=_answers(about, bookings))
    parts: list[Sayable] = [NEUTRAL] if any(about.discreet for about, _ in told) else []
    for about, bookings in told:
        parts += [heading(about), *_reminded(about, bookings)]
    buttons = [
        Button(Joined((Said(about.emoji), when(bookings[0].session)), " "), f"mine:{bookings[0].session.id}")
        for about, bookings in told
    ]
    return say(*parts, buttons=(*buttons, MENU_BUTTON))


def _reminded(about: Programme, bookings: Sequence[Booking]) -> list[Sayable]:
    session = bookings[0].session
    place, bring = about.field_text("place"), about.field_text("bring")
    return [
        Text("🔔 {day}, {time}", day=Day(session.date), time=Hour(session.time)),
        Text("Who: {names}", names=names(one.participant for one in bookings)),
        *([Text("📍 {place}", place=place)] if place else []),
        *([Text("🎒 Bring: {things}", things=bring)] if bring else []),
    ]


def _answers(about: Programme, bookings: Sequence[Booking]) -> list[Button]:
    session, several = bookings[0].session, len(bookings) > 1
    said_all = all(one.coming_at is not None for one in bookings)
    yes = Text("✅ All come") if several else Text("✅ I am coming")
    no = Text("❌ One of them can't come") if several else Text("❌ I can't come")
    return [
        *([] if said_all else [Button(yes, f"coming:{session.id}")]),
        Button(no, f"cannot:{session.id}"),
        *([Button(Text("📍 Where is it?"), f"where:{session.id}")] if about.field_text("place") or about.venue else []),
        MENU_BUTTON,
    ]


def session_moved(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """Old and new time, for those who knew the old one. A later move has told the newest already."""
    del city
    session = programmes.session(db, int(data["session"]))
    if session is None or session.local_start != data["new"] or session.starts_at <= now or session.state != "planned":
        return None
    about = programmes.of_session(db, session)
    return say(
        *opening(about),
        Text("The date has changed."),
        Text("Before: {when}", when=when_words(str(data["old"]))),
        Text("Now: {when}", when=when(session)),
        buttons=(
            Button(Text("✅ I am coming"), f"coming:{session.id}"),
            Button(Text("❌ I can't come"), f"cannot:{session.id}"),
            MENU_BUTTON,
        ),
    )


def session_cancelled(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """It does not take place."""
    del city
    session = programmes.session(db, int(data["session"]))
    if session is None or session.starts_at <= now:
        return None
    about = programmes.of_session(db, session)
    heard = when_words(str(data["known"]))
    words = Text("This does not take place: {when}. You do not need to come.", when=heard)
    return say(*opening(about), words, buttons=(MINE_BUTTON, MENU_BUTTON))


def _free_place(db: Db, data: Mapping[str, Any], now: dt.datetime, state: str) -> tuple[Booking, Session] | None:
    found = sessions.booking(db, int(data["booking"]))
    if found is None or found.state != state or found.session.starts_at <= now:
        return None
    return found, found.session


def place_given(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """A sure place from the waiting list."""
    del city
    free = _free_place(db, data, now, "booked")
    if free is None:
        return None
    found, session = free
    about = programmes.of_session(db, session)
    words = Text(
        "A place is free. {name} is now signed up for {when}.", name=Said(found.participant.name), when=when(session)
    )
    buttons = (
        Button(Text("✅ I am coming"), f"coming:{session.id}"),
        Button(Text("❌ I can't come"), f"cannot:{session.id}"),
        MENU_BUTTON,
    )
    return say(*opening(about), words, buttons=buttons)


def place_offered(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """A place that became free late: yes or no, until when."""
    free = _free_place(db, data, now, "offered")
    if free is None or free[0].offered_until is None or free[0].offered_until <= now:
        return None
    found, session = free
    until = free[0].offered_until.astimezone(city.pack.zone)
    about = programmes.of_session(db, session)
    words = Text(
        "A place is free for {name}: {when}. Do you want it?", name=Said(found.participant.name), when=when(session)
    )
    answer = Text("Please answer before {day}, {time}.", day=Day(until.date().isoformat()), time=Hour(f"{until:%H:%M}"))
    buttons = (
        Button(Text("✅ Yes"), f"take:{found.id}"),
        Button(Text("❌ No"), f"leave:{found.id}"),
        MENU_BUTTON,
    )
    return say(*opening(about), words, answer, buttons=buttons)


def dates_known(db: Db, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """What was asked for with 🔔."""
    about = programmes.get(db, str(data["programme"]), demo=city.demo)
    if about is None or not programmes.upcoming(db, about.id, now):
        return None
    buttons = (Button(Text("📅 See the dates"), f"programme:{about.id}"), MENU_BUTTON)
    return say(*opening(about), Text("The dates are known now."), buttons=buttons)


RENDERERS = {
    "reminder": reminder,
    "session-moved": session_moved,
    "session-cancelled": session_cancelled,
    "place-given": place_given,
    "place-offered": place_offered,
    "dates-known": dates_known,
}
