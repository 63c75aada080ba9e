"""What several handlers say: ways on, the words of a topic, an old button; it must not decide where a text goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from bot import people, topics
from bot.conversation import Reply, Turn, reply
from bot.language import Joined, Said, Sayable, Text, placeholders
from bot.message import Button, Message, say

MENU_BUTTON: Final = Button(Text("☰ Menu"), "menu")
PERSON_BUTTON: Final = Button(Text("💬 Talk to a person"), "person")
HELP_BUTTON: Final = Button(Text("🆘 112"), "sos")

WAYS_ON: Final = (MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)
"""The end of everything that did not lead anywhere."""


_DIGITS_MOST: Final = 15


def number(text: str) -> int:
    """The row that a button names; 0 for what is no number of ours."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS_MOST else 0


def out_of_date(turn: Turn) -> Reply:
    """An old or strange button: a friendly line and the menu; an open question stays open."""
    del turn
    return reply(say(Text("This button is too old. Please start again from the menu."), buttons=WAYS_ON), state=None)


def language_of(turn: Turn) -> str:
    """The language in which this person reads."""
    return people.language_of(turn.person, turn.city.pack.languages)


def titled(turn: Turn, topic_id: str) -> Sayable:
    """A topic's emoji and title."""
    return Joined((Said(turn.city.pack.topics[topic_id].emoji), Text(f"topic:{topic_id}/title")), " ")


def content_text(turn: Turn, key: str) -> list[Sayable]:
    """A piece of content with the city's values; where one is not known its line falls away, and the way to the
    city stands below.
    """
    pack = turn.city.pack
    values = topics.local_values(turn.db, pack)
    named = placeholders(pack.look_up(key, pack.source_language) or "")
    parts: list[Sayable] = [Text(key, **{name: values.get(name, "") for name in named})]
    if any(not values.get(name) for name in named):
        parts.append(way_to_city(turn))
    return parts


def way_to_city(turn: Turn) -> Text:
    """Where to ask what the bot does not know."""
    website = topics.local_values(turn.db, turn.city.pack).get("website", "")
    return Text("For details: look at {website} or ask a person of the city.", website=website)


def in_language(messages: Sequence[Message], language: str | None) -> tuple[Message, ...]:
    """The same messages with their language fixed ("in the language of the question"); None leaves it to the reader."""
    if language is None:
        return tuple(messages)
    return tuple(
        message if message.language else dataclasses.replace(message, language=language) for message in messages
    )
