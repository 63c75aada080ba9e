"""What a handler gets and gives: `Turn` in, `Reply` out; it must not decide what is said.

A handler is a plain function. It reads `turn`, calls the domain with `turn.db` and `turn.now`, and returns a Reply.
It knows no Telegram type, no SQL, no commit, no clock, no language.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from bot.channel import Incoming
from bot.message import Message
from bot.office import Office
from bot.people import Person
from bot.topics import Pack
from bot.understanding import Look


@dataclass(frozen=True, slots=True)
class State:
    """Where a conversation stands: the name of a question that was asked (a key of ROUTES) and what is known so far."""

    name: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)


NOWHERE = State()
"""No question is open."""


@dataclass(frozen=True, slots=True)
class City:
    """What stays the same for the whole life of the process: the pack, the office, and what this bot can do."""

    pack: Pack
    office: Office
    staff: bool  # a staff group is configured and the bot may work in it
    demo: bool
    bot_name: str  # without @, for deep links


@dataclass(frozen=True, slots=True)
class Turn:
    """One update and all that a handler may use. `db` is the open transaction, `now` aware UTC.

    `said` is what the person wrote (text, caption, edited text); `route` and `argument` come from a tapped button
    or a command ("/start abc": route "start", argument "abc"). `staff` is true in the staff group, for a member
    of it, and `thread` is then the topic.
    """

    db: Connection
    now: dt.datetime
    person: Person
    state: State
    incoming: Incoming
    city: City
    said: str = ""
    route: str = ""
    argument: str = ""
    look: Look | None = None
    staff: bool = False
    thread: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to the one who wrote, in order, and the next state (None: the state stays as it is)."""

    messages: tuple[Message, ...] = ()
    state: State | None = NOWHERE
    kind: str = "answer"


def reply(*messages: Message, state: State | None = NOWHERE, kind: str = "answer") -> Reply:
    """A Reply of these messages."""
    return Reply(messages=messages, state=state, kind=kind)
