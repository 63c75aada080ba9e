"""Counts how fast somebody writes; it must not remember what. Time is monotonic seconds, as an argument.

More than 20 texts a minute: the rest is only searched for danger (docs/decisions/0014-flood.md). The count is this
process's own and is gone with it.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from bot.channel import Incoming

MOST: Final = 20
WINDOW: Final = 60.0
_TEXTS: Final = frozenset({"text", "edit", "media"})
_LANES_MOST: Final = 10_000


def is_text(incoming: Incoming) -> bool:
    """What counts: texts, files and changes of a newcomer; taps never."""
    return incoming.private and incoming.kind in _TEXTS


class Flood:
    """When each lane was last answered, as far as it matters. `off` lifts the rule, for benchmarks."""

    def __init__(self, *, off: bool = False) -> None:
        self._off = off
        self._answered: dict[str, deque[tuple[float, int]]] = {}  # when, and which update

    def is_over(self, incoming: Incoming, now: float) -> bool:
        """Whether this text comes after 20 others in the last minute; if not, it is counted.

        An update that comes again (it could not be stored) is no further text.
        """
        if self._off or not is_text(incoming):
            return False
        times = self._answered.get(incoming.lane)
        if times is None:
            if len(self._answered) >= _LANES_MOST:
                self._answered = {lane: kept for lane, kept in self._answered.items() if kept[-1][0] > now - WINDOW}
            times = self._answered[incoming.lane] = deque(maxlen=MOST)
        if any(update == incoming.update_id for _, update in times):
            return False
        if len(times) == MOST and times[0][0] > now - WINDOW:
            return True
        times.append((now, incoming.update_id))
        return False
