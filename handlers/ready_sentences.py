"""The ready sentences: staff choose one, what it needs is asked, it goes out; it must not hold their words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bot import alerts, cases, handoff, language, staff_answers
from bot.cases import Case
from bot.conversation import Reply, State, Turn, reply
from bot.language import Day, Hour, Joined, Said, Sayable, Text, for_staff
from bot.message import Button, say
from bot.topics import READY
from handlers.staff_cases import no_case, own_case
from handlers.staff_sessions import parse_start

FILLING: Final = "staff-ready"
_WORDS_MOST: Final = 200
_ASKS: Final[Mapping[str, Sayable]] = {
    "place": for_staff("Which place?"),
    "date": for_staff("Which date? For example 5/7"),
    "time": for_staff("What time? For example 9:00"),
    "paper": for_staff("Which paper?"),
    "organisation": for_staff("Which organisation?"),
}


def ready(turn: Turn) -> Reply:
    """Tap: the 14 ready sentences, in Dutch."""
    case = own_case(turn)
    if isinstance(case, Reply):
        return case
    buttons = [Button(Text(f"ready:{key}"), f"say:{case.id}:{key}") for key in READY]
    return reply(say(for_staff("Which sentence? It arrives in the newcomer's language."), buttons=buttons), state=None)


def say_ready(turn: Turn) -> Reply:
    """Tap on a ready sentence; what it needs is asked first."""
    case = own_case(turn)
    key = turn.argument.partition(":")[2]
    if isinstance(case, Reply):
        return case
    if key not in READY:
        return no_case()
    return _fill(turn, case, key, {})


def _fill(turn: Turn, case: Case, key: str, values: dict[str, str]) -> Reply:
    template = turn.city.pack.look_up(f"ready:{key}", turn.city.pack.source_language) or ""
    missing = [name for name in _ASKS if name in language.placeholders(template) and name not in values]
    if missing:
        known = {"case": case.id, "key": key, "values": values, "asks": missing[0], "thread": turn.thread}
        state = State(FILLING, known)
        return reply(say(_ASKS[missing[0]]), state=state)
    shown = Text(f"ready:{key}", **{name: _said(name, value) for name, value in values.items()})
    words = template
    for name, value in values.items():
        words = words.replace(f"{{{name}}}", value)
    # a typed value is no answer by itself: changing it later must not replace the sentence
    shown_at = turn.incoming.message_id if turn.incoming.kind == "tap" else None
    entry = cases.add_entry(
        turn.db, case.id, "staff", words, turn.now, state="planned", topic_message_id=shown_at
    )  # fmt: skip
    alerts.acknowledge(turn.db, case, turn.now)
    staff_answers.send_reply(turn.db, case, say(shown, buttons=(handoff.BACK_BUTTON,)), entry, turn.now)
    return reply(say(Joined((Said("➡️"), shown), " ")))


def _said(name: str, value: str) -> Sayable:
    match name:
        case "date":
            return Day(value)
        case "time":
            return Hour(value)
        case _:
            return Said(value)


def fill_ready(turn: Turn) -> Reply:
    """What staff write for a ready sentence."""
    data = turn.state.data
    case = cases.get(turn.db, int(data["case"]), lock=True)
    if case is None or case.state == "closed" or case.claimed_by != turn.person.id:
        return reply(say(for_staff("This case is not yours any more. Nothing was sent.")))
    name, written = str(data["asks"]), " ".join(turn.said.split())
    today = turn.now.astimezone(turn.city.pack.zone).date()
    if name in {"date", "time"}:
        start = (
            parse_start(written, "9:00", today) if name == "date" else parse_start(today.isoformat(), written, today)
        )
        if start is None:
            return reply(say(for_staff("I do not understand this."), _ASKS[name]), state=None)
        written = start[:10] if name == "date" else start[11:]
    if not written or len(written) > _WORDS_MOST:
        return reply(say(for_staff("Please write it in a few words."), _ASKS[name]), state=None)
    return _fill(turn, case, str(data["key"]), {**data["values"], name: written})
