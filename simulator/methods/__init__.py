"""The Bot API's methods: name → function of the world and the parameters; it must hold no HTTP."""

from __future__ import annotations

from collections.abc import Callable

from simulator.methods import chats, editing, sending, topics, updates
from simulator.params import Params
from simulator.world import World

Method = Callable[[World, Params], object]

METHODS: dict[str, Method] = {
    **updates.METHODS,
    **sending.METHODS,
    **editing.METHODS,
    **topics.METHODS,
    **chats.METHODS,
}
"""By lower-case name: Telegram does not mind the case. getUpdates waits, so it stands in simulator/server.py."""

FREE = frozenset({"getme", "getupdates", "answercallbackquery", "sendchataction", "getwebhookinfo", "getfile"})
"""What does not count at all."""
