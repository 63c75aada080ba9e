"""What the bot says: the map of its behaviour. Read ROUTES first; it must hold no text and no rule of the domain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from bot.conversation import Reply, Turn

Handler = Callable[[Turn], Reply]


@dataclass(frozen=True, slots=True)
class Routes:
    """Which function answers what: a command, a tapped button, a text while a question is open, and the same in
    the staff group.
    """

    commands: Mapping[str, Handler] = field(default_factory=dict)
    taps: Mapping[str, Handler] = field(default_factory=dict)
    states: Mapping[str, Handler] = field(default_factory=dict)
    intents: Mapping[str, Handler] = field(default_factory=dict)
    staff_commands: Mapping[str, Handler] = field(default_factory=dict)
    staff_taps: Mapping[str, Handler] = field(default_factory=dict)


ROUTES: Final = Routes(
    commands={
        # first contact, menu, privacy
        # sessions
        # cases
    },
    taps={
        # first contact, menu, ask, privacy
        # sessions
        # cases and danger
    },
    states={
        # sessions
        # cases
    },
    intents={
        # asked in words: human, my-sessions, sign-up …
    },
    staff_commands={
        # sessions
        # cases
    },
    staff_taps={
        # sessions
        # cases
    },
)
