"""What several handlers say: the ways on that every message has; it must not decide where a text goes."""

from __future__ import annotations

from typing import Final

from bot.conversation import Reply, Turn, reply
from bot.language import Text
from bot.outbox import Button, say

MENU_BUTTON: Final = Button(Text("☰ Menu"), "menu")
PERSON_BUTTON: Final = Button(Text("💬 Talk to a person"), "person")
HELP_BUTTON: Final = Button(Text("🆘 112"), "sos")

WAYS_ON: Final = (MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)
"""The end of everything that did not lead anywhere."""


def out_of_date(turn: Turn) -> Reply:
    """An old or strange button: a friendly line and the menu; an open question stays open."""
    del turn
    return reply(say(Text("This button is too old. Please start again from the menu."), buttons=WAYS_ON), state=None)
