"""Questions without a good answer, for staff, and what they teach; it must show no text that points at somebody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from bot import questions
from bot.conversation import City, Reply, Turn, reply
from bot.language import Joined, Said, Sayable, for_staff
from bot.message import Message, say
from bot.questions import Asked, NotTaughtError, Overview
from handlers.signup import SIGNING
from handlers.staff_languages import LANGUAGES

_GROUPS: Final = 8
_SHOWN: Final = 120
_WORST: Final = 5

_WHY: Final[Mapping[str, Sayable]] = {
    questions.LANGUAGE: for_staff("I do not have this language. Expected for example: /teach ar housing …"),
    questions.LENGTH: for_staff("Expected a sentence of at most 120 characters behind it: /teach ar housing …"),
    questions.PERSONAL: for_staff("No numbers, addresses or links, please: the sentence is kept for ever."),
    questions.COPY: for_staff("This is what somebody wrote. Please say the same in other words."),
}


def overview_renderer(db: Any, data: Mapping[str, Any], *, city: City, now: dt.datetime) -> Message | None:
    """The week's questions; nothing when there were none."""
    del data
    found = questions.overview(db, city.pack, now, signing=SIGNING)
    return None if found.is_empty else overview_message(found, city)


def show(turn: Turn) -> Reply:
    """/questions: the last seven days."""
    found = questions.overview(turn.db, turn.city.pack, turn.now, signing=SIGNING)
    if found.is_empty:
        return reply(say(for_staff("Every question of this week was answered.")), state=None)
    return reply(overview_message(found, turn.city), state=None)


def overview_message(found: Overview, city: City) -> Message:
    """What was asked and not answered, per language, and where people gave up."""
    parts: list[Sayable] = [for_staff("❓ Asked this week, and not answered well")]
    for code, groups in found.asked.items():
        heading = Joined((LANGUAGES.get(code, Said(code)), Said(str(sum(one.count for one in groups)))), ": ")
        parts.append(Joined((heading, *(_line(one, city) for one in groups[:_GROUPS])), "\n"))
    few = [Joined((LANGUAGES.get(code, Said(code)), Said(str(n))), ": ") for code, n in found.few.items()]
    if few:
        parts.append(
            for_staff("Not shown, too few people wrote in the language: {languages}", languages=Joined(tuple(few)))
        )
    worst = list(found.not_helped.items())[:_WORST]
    if worst:
        told = tuple(Joined((_title(name, city), Said(f"{times}×")), " ") for name, times in worst)
        parts.append(for_staff("Answers that did not help this month: {topics}", topics=Joined(told)))
    if found.given_up:
        parts.append(for_staff("Sign-ups begun and not ended: {n}", n=found.given_up))
    parts.append(
        for_staff("Teach me: /teach, the language, the topic, and the question in your own words: /teach ar housing …")
    )
    return say(*parts)


def _line(one: Asked, city: City) -> Sayable:
    text = one.text if len(one.text) <= _SHOWN else one.text[:_SHOWN] + "…"
    near = f" ({one.topic})" if one.topic in city.pack.topics else ""
    return Said(f"• {one.count}× {' '.join(text.split())}{near}")


def _title(name: str, city: City) -> Sayable:
    return Said(city.pack.look_up(f"topic:{name}/title", city.pack.source_language) or name)


def teach(turn: Turn) -> Reply:
    """/teach language topic sentence: an example in the words of staff."""
    language, _, rest = turn.argument.partition(" ")
    label, _, text = rest.strip().partition(" ")
    try:
        questions.teach(turn.db, turn.city.pack, label, language, text, by=turn.person.id, now=turn.now)
    except NotTaughtError as error:
        return reply(say(_why(str(error), label, turn)), state=None)
    words = for_staff(
        "Thank you. I learn this with the next build, in about a minute: {topic}", topic=_title(label, turn.city)
    )
    return reply(say(words), state=None)


def _why(reason: str, label: str, turn: Turn) -> Sayable:
    if reason in _WHY:
        return _WHY[reason]
    near = [name for name in turn.city.pack.topics if label and label[:4] in name] or list(turn.city.pack.topics)
    return for_staff("There is no topic “{name}”. Near: {near}", name=Said(label), near=Said(", ".join(near[:12])))
