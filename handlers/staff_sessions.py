"""What staff do with sessions: plan, move, cancel, enrol on paper, link; it must ask before people are told."""

from __future__ import annotations

import base64
import datetime as dt
import io
from collections.abc import Mapping
from typing import Any, Final

import segno

from bot import join_codes, participants, programmes, reminders, roster, sessions
from bot.conversation import City, Reply, Turn, reply
from bot.language import Joined, Said, Sayable, for_staff
from bot.message import Button, Message, say
from bot.programmes import Programme, Session
from handlers.common import number
from handlers.session_words import heading, when, when_words

_AHEAD: Final = 30
_MARKS: Final = {
    "coming": "✅", "late": "⏰", "silent": "❔", "unreachable": "📵", "paper": "📝", "waiting": "⏳", "cannot": "❌",
}  # fmt: skip
_LEGEND: Final = for_staff(
    "✅ coming · ⏰ late · ❔ no answer · 📵 unreachable · 📝 on paper · ⏳ waiting · ❌ can't come"
)


def _wrong(words: Sayable) -> Reply:
    return reply(say(words), state=None)


def all_sessions(turn: Turn) -> Reply:
    """/sessions: what is planned."""
    lines: list[Sayable] = []
    for one in programmes.visible(turn.db, demo=turn.city.demo):
        lines.append(Joined((heading(one), Said(f"({one.id})")), " "))
        lines += [_line(day) for day in programmes.upcoming(turn.db, one.id, turn.now)[:_AHEAD]]
    if not lines:
        return _wrong(for_staff("There are no programmes yet. See `wegwijs sessions load`."))
    hint = for_staff("More: /session <number> · /new <programme> <date> <time> · /link <programme>")
    return reply(say(Joined(tuple(lines), "\n"), hint), state=None)


def _line(day: Session) -> Sayable:
    return Joined(
        (Said(f"   {day.id}:"), when(day), Said(f"{sessions.dots(day.taken, day.seats)} {day.taken}/{day.seats}")), " "
    )


def _session(turn: Turn, text: str) -> Session | None:
    return programmes.session(turn.db, number(text))


def _no_session(text: str) -> Reply:
    return _wrong(for_staff("There is no session “{text}”. /sessions shows the numbers.", text=Said(text)))


def one_session(turn: Turn) -> Reply:
    """/session <id>: the roster."""
    found = _session(turn, turn.argument)
    return _no_session(turn.argument) if found is None else reply(roster_message(turn.db, found), state=None)


def roster_message(db: Any, session: Session) -> Message:
    """Who comes, per child."""
    about = programmes.of_session(db, session)
    lines = [
        Said(f"{_MARKS[line.state]} {line.name}" + (f" ({line.age})" if line.age is not None else ""))
        for line in roster.lines(db, session)
    ]
    body = Joined(tuple(lines), "\n") if lines else for_staff("Nobody has signed up yet.")
    cancelled = [for_staff("This session is cancelled.")] if session.state == "cancelled" else []
    first = Joined((heading(about), when(session), Said(f"{session.taken}/{session.seats}")), " · ")
    return say(first, *cancelled, body, _LEGEND)


def roster_renderer(db: Any, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """The roster of the day, as it is when it leaves."""
    del city
    session = programmes.session(db, int(data["session"]))
    if session is None or session.state != "planned" or session.ends_at <= now:
        return None
    return roster_message(db, session)


def _programme(turn: Turn, name: str) -> Programme | None:
    return programmes.get(turn.db, name, demo=turn.city.demo)


def _no_programme(turn: Turn, name: str) -> Reply:
    known = ", ".join(one.id for one in programmes.visible(turn.db, demo=turn.city.demo))
    return _wrong(for_staff("There is no programme “{text}”. There are: {known}", text=Said(name), known=Said(known)))


def parse_start(date: str, time: str, today: dt.date) -> str | None:
    """A local start from what staff type: 2027-07-05, 5/7/2027 or 5/7, and 9:00, 9u or 09.00. None: not understood."""
    parts = date.replace("-", "/").replace(".", "/").split("/")
    try:
        numbers = [int(part) for part in parts]
        if len(parts[0]) == 4:
            day = dt.date(*numbers)
        elif len(numbers) == 3:
            day = dt.date(numbers[2], numbers[1], numbers[0])
        else:
            day = dt.date(today.year, numbers[1], numbers[0])
            if day < today:
                day = day.replace(year=today.year + 1)
        hour, _, minute = time.lower().replace("u", ":").replace("h", ":").replace(".", ":").partition(":")
        return f"{day.isoformat()}T{dt.time(int(hour), int(minute or 0)):%H:%M}"
    except (ValueError, TypeError, IndexError):
        return None


def _start(turn: Turn, date: str, time: str) -> str | None:
    today = turn.now.astimezone(turn.city.pack.zone).date()
    return parse_start(date, time, today)


_WHEN_WRONG: Final = for_staff("I do not understand this date. Expected for example: 5/7/2027 9:00")
_PAST: Final = for_staff("This is in the past.")


def new(turn: Turn) -> Reply:
    """/new <programme> <date> <time>."""
    words = turn.argument.split()
    if len(words) != 3:
        return _wrong(for_staff("Expected: /new <programme> <date> <time>, for example /new okan-summer 5/7/2027 9:00"))
    about = _programme(turn, words[0])
    if about is None:
        return _no_programme(turn, words[0])
    start = _start(turn, words[1], words[2])
    if start is None:
        return _wrong(_WHEN_WRONG)
    if programmes.instant(start, turn.city.pack.zone) <= turn.now:
        return _wrong(_PAST)
    made = reminders.new_session(turn.db, about, start, city=turn.city, now=turn.now)
    done = for_staff("Planned: number {id}. Who asked for the dates is told.", id=made.id)
    return reply(say(done, Joined((heading(about), when(made)), " · ")), state=None)


def move(turn: Turn) -> Reply:
    """/move <id> <date> <time>: shows who will be told, asks once."""
    words = turn.argument.split()
    found = _session(turn, words[0]) if len(words) == 3 else None
    if len(words) != 3:
        return _wrong(for_staff("Expected: /move <number> <date> <time>, for example /move 12 6/7/2027 10:00"))
    if found is None or found.state != "planned":
        return _no_session(words[0])
    start = _start(turn, words[1], words[2])
    if start is None:
        return _wrong(_WHEN_WRONG)
    if programmes.instant(start, turn.city.pack.zone) <= turn.now or found.starts_at <= turn.now:
        return _wrong(_PAST)
    about = programmes.of_session(turn.db, found)
    told = len(reminders.who_knows(turn.db, found.id))
    return reply(
        say(
            heading(about),
            for_staff("Before: {when}", when=when(found)),
            for_staff("Now: {when}", when=when_words(start)),
            for_staff("People who will be told, with old and new time: {n}", n=told),
            buttons=(
                Button(for_staff("✅ Move and tell them"), f"move:{found.id}:{found.version}:{start}"),
                Button(for_staff("❌ No, leave it"), "keep"),
            ),
        ),
        state=None,
    )


def move_sure(turn: Turn) -> Reply:
    """Tap: really move. Tapped twice, or after another move, it changes nothing."""
    session_id, _, rest = turn.argument.partition(":")
    version, _, start = rest.partition(":")
    found = _session(turn, session_id)
    parsed = _start(turn, *start.split("T")) if start.count("T") == 1 else None
    if found is None or parsed is None or str(found.version) != version or found.state != "planned":
        return _wrong(for_staff("This was done already, or the session has changed. /sessions shows what is planned."))
    told = reminders.move_session(turn.db, found, parsed, city=turn.city, now=turn.now)
    return reply(say(for_staff("Moved. People who are told: {n}", n=len(told))), state=None)


def keep(turn: Turn) -> Reply:
    """Tap: leave it as it is."""
    del turn
    return reply(say(for_staff("Nothing was changed.")), state=None)


def cancel(turn: Turn) -> Reply:
    """/cancel <id>: shows who will be told, asks once."""
    found = _session(turn, turn.argument)
    if found is None or found.state != "planned":
        return _no_session(turn.argument)
    about = programmes.of_session(turn.db, found)
    told = len(reminders.who_knows(turn.db, found.id))
    return reply(
        say(
            Joined((heading(about), when(found)), " · "),
            for_staff("People who will be told that it does not take place: {n}", n=told),
            buttons=(
                Button(for_staff("✅ Cancel and tell them"), f"cancel:{found.id}:{found.version}"),
                Button(for_staff("❌ No, leave it"), "keep"),
            ),
        ),
        state=None,
    )


def cancel_sure(turn: Turn) -> Reply:
    """Tap: really cancel."""
    session_id, _, version = turn.argument.partition(":")
    found = _session(turn, session_id)
    if found is None or str(found.version) != version or found.state != "planned":
        return _wrong(for_staff("This was done already, or the session has changed. /sessions shows what is planned."))
    told = reminders.cancel_session(turn.db, found, now=turn.now)
    return reply(say(for_staff("Cancelled. People who are told: {n}", n=len(told))), state=None)


def add(turn: Turn) -> Reply:
    """/add <programme> <name> [age]: a child enrolled on paper, with a link for the parents."""
    words = turn.argument.split()
    if len(words) < 2:
        return _wrong(for_staff("Expected: /add <programme> <first name> <age>, for example /add okan-summer Sara 13"))
    about = _programme(turn, words[0])
    if about is None:
        return _no_programme(turn, words[0])
    age = (
        int(words[-1])
        if len(words) > 2 and words[-1].isascii() and words[-1].isdecimal() and len(words[-1]) < 4
        else None
    )
    name = " ".join(words[1:-1] if age is not None else words[1:])
    if participants.misfit(about, age):
        return _wrong(for_staff("This age does not fit the programme."))
    made, _ = participants.add_participant(turn.db, None, name, child=True, age=age, now=turn.now)
    states = [
        sessions.book(turn.db, None, made.id, day, turn.now)[0]
        for day in programmes.upcoming(turn.db, about.id, turn.now)
    ]
    code = join_codes.make_join_code(turn.db, made.id, about.id, turn.now)
    link = f"https://t.me/{turn.city.bot_name}?start=j_{code}"
    return reply(
        say(
            for_staff(
                "{name} is on the list. Days with a place: {n}. On the waiting list: {w}", name=Said(made.name),
                n=states.count("booked"), w=states.count("waiting"),
            ),
            for_staff("Give the parents this link: they then get the reminders. It works once."),
            Said(link),
        ),
        _qr(link, for_staff("To print: the link as a QR code.")),
        state=None,
    )  # fmt: skip


def link(turn: Turn) -> Reply:
    """/link <programme>: a deep link and its QR code."""
    about = _programme(turn, turn.argument)
    if about is None:
        return _no_programme(turn, turn.argument)
    address = f"https://t.me/{turn.city.bot_name}?start=p_{about.id}"
    return reply(
        say(heading(about), Said(address)), _qr(address, for_staff("To print: the link as a QR code.")), state=None
    )


def _qr(address: str, words: Sayable) -> Message:
    picture = io.BytesIO()
    segno.make(address, error="m").save(picture, kind="png", scale=10, border=4)
    content = base64.b64encode(picture.getvalue()).decode()
    return Message(action="photo", parts=(words,), content=content, name="qr.png")
