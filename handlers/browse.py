"""The menu's way to a topic: groups, then topics, and back; it must not know what a topic says."""

from __future__ import annotations

from typing import Final

from bot.conversation import Reply, Turn, reply
from bot.language import Joined, Said, Text, msgid
from bot.message import Button, say
from handlers.common import HELP_BUTTON, MENU_BUTTON, out_of_date, titled

GROUPS: Final = {
    "together": msgid("Meeting people"),
    "leisure": msgid("Sport and free time"),
    "learning": msgid("Learning and school"),
    "papers": msgid("Papers and letters"),
    "living": msgid("Money and housing"),
    "health": msgid("Health"),
    "family-and-work": msgid("Family and work"),
    "around": msgid("Around the city"),
}
_PEOPLE: Final = ("together", "leisure")


def _group_button(turn: Turn, name: str) -> Button:
    return Button(Joined((Said(turn.city.pack.group_emoji[name]), Text(GROUPS[name])), " "), f"group:{name}")


def services(turn: Turn) -> Reply:
    """Tap: the groups of services."""
    groups = [name for name in turn.city.pack.groups if name not in _PEOPLE]
    buttons = [_group_button(turn, name) for name in groups]
    return reply(say(Text("Services: what is it about?"), buttons=(*buttons, MENU_BUTTON, HELP_BUTTON)))


def group(turn: Turn) -> Reply:
    """Tap: the topics of one group."""
    pack = turn.city.pack
    name = turn.argument
    if name not in pack.groups:
        return out_of_date(turn)
    buttons = [Button(titled(turn, topic), f"topic:{topic}") for topic in pack.groups[name]]
    if name in _PEOPLE:
        buttons += [_group_button(turn, other) for other in _PEOPLE if other != name and other in pack.groups]
        buttons.append(Button(Text("📅 Courses and groups"), "programmes"))
    else:
        buttons.append(Button(Text("⬅️ Back"), "services"))
    return reply(say(Text(GROUPS[name]), buttons=(*buttons, MENU_BUTTON, HELP_BUTTON)))
