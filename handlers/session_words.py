"""How sessions, places and names are said; it must not change anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.language import Day, Hour, Joined, Said, Sayable, Text
from bot.participants import AGE_MOST, Participant
from bot.programmes import Programme, Session
from bot.sessions import Booking

NEUTRAL = Text("Message from the city about a date you asked for. Open it when you like.")
"""The first line of what is said about a discreet programme: its first 60 characters say nothing."""


def heading(programme: Programme) -> Sayable:
    """Emoji and title; for a discreet programme nothing that a glance could read."""
    return Joined((Said(programme.emoji), programme.title_text), " ")


def opening(programme: Programme) -> tuple[Sayable, ...]:
    """The first paragraphs of a message that comes by itself."""
    return (NEUTRAL, heading(programme)) if programme.discreet else (heading(programme),)


def when(session: Session) -> Sayable:
    """Day and time."""
    return Text("{day}, {time}", day=Day(session.date), time=Hour(session.time))


def when_words(local_start: str) -> Sayable:
    """Day and time of a wall time."""
    return Text("{day}, {time}", day=Day(local_start[:10]), time=Hour(local_start[11:]))


def names(people: Iterable[Participant]) -> Sayable:
    """First names, as they were written."""
    return Joined(tuple(Said(one.name) for one in people))


def for_whom(programme: Programme) -> Text:
    """For whom a programme is."""
    match programme.who:
        case "adults":
            return Text("For adults.")
        case "women":
            return Text("For women.")
        case "ages":
            return Text("Age: {low}–{high}", low=programme.age_from or 0, high=programme.age_to or AGE_MOST)
        case _:
            return Text("For everybody.")


def place_lines(programme: Programme) -> list[Sayable]:
    """Place, price, what to bring; what is not known is said to be so."""
    place, price, bring = (programme.field_text(name) for name in ("place", "price", "bring"))
    return [
        Text("📍 {place}", place=place) if place else Text("📍 The place is not known yet."),
        Text("💶 {price}", price=price) if price else Text("💶 The price is not known. Ask a person of the city."),
        *([Text("🎒 Bring: {things}", things=bring)] if bring else []),
    ]


def state_words(booking: Booking, place: int) -> Sayable:
    """What a booking is now, for the one who made it."""
    match booking.state:
        case "booked":
            return Text("✅ {name}: has a place", name=Said(booking.participant.name))
        case "offered":
            return Text("❓ {name}: a place is free for you. Please answer.", name=Said(booking.participant.name))
        case _:
            return Text("⏳ {name}: waiting list, place {n}", name=Said(booking.participant.name), n=place)


def grouped(bookings: Sequence[Booking]) -> list[tuple[Session, list[Booking]]]:
    """Bookings by session, in order."""
    found: dict[int, tuple[Session, list[Booking]]] = {}
    for one in bookings:
        found.setdefault(one.session.id, (one.session, []))[1].append(one)
    return list(found.values())
