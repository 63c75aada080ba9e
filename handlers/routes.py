"""The shape of the map of the bot's behaviour; the map itself is ROUTES in handlers/__init__.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.conversation import Reply, Turn

Handler = Callable[[Turn], Reply]


@dataclass(frozen=True, slots=True)
class Routes:
    """Which function answers what: a command, a tapped button, a text while a question is open, something asked in
    words, and the same in the staff group.
    """

    commands: Mapping[str, Handler]
    taps: Mapping[str, Handler]
    states: Mapping[str, Handler]
    intents: Mapping[str, Handler]
    staff_commands: Mapping[str, Handler]
    staff_taps: Mapping[str, Handler]
