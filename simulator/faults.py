"""Faults that a test asks for, taken by the calls they match; it must not send anything itself.

Before any effect: `502_html`, `502_json`, `429:S` (seconds), `403`, `400:text`, `migrate`, `reset` (the connection is
cut) and `slow:S` (waits, then does what was asked).
After the effect, so that only the answer suffers: `drop_reply`, `accept_502_html`, `accept_502_json`,
`accept_slow:S` (the answer comes S seconds later) and `slow_headers:S` (its first line at once, the rest later).
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from simulator.state import Json

PLAIN = ("drop_reply", "502_html", "502_json", "accept_502_html", "accept_502_json", "403", "migrate", "reset")
TIMED = ("slow", "accept_slow", "slow_headers", "429")
KINDS = (*PLAIN, *(f"{name}:" for name in TIMED), "400:")
AFTER = frozenset({"drop_reply", "accept_502_html", "accept_502_json", "accept_slow", "slow_headers"})


@dataclass
class Fault:
    """`method` (any case, `*` for all) fails in the way `kind`; `chat` 0 is every chat.

    `times` are the failures still to come (0: for ever); `share` is the part of the matching calls that fails.
    """

    method: str
    kind: str
    times: int = 1
    chat: int = 0
    share: float = 1.0
    dice: random.Random = field(default_factory=random.Random)


def _read(one: Json) -> Fault:
    kind = str(one["fault"])
    name, _, value = kind.partition(":")
    if kind not in PLAIN and name not in {*TIMED, "400"}:
        msg = f"unknown fault {kind!r}; known: {', '.join(KINDS)}"
        raise ValueError(msg)
    if name in TIMED and (value or name != "429") and not 0 <= float(value) < 3600:
        msg = f"{kind!r}: expected seconds from 0 to 3600"
        raise ValueError(msg)
    share = float(one.get("share", 1))
    if not 0 <= share <= 1:
        msg = f"share {share}: expected 0 to 1"
        raise ValueError(msg)
    times = int(one.get("times", 0 if "share" in one else 1))
    dice = random.Random(int(one.get("seed", 1)))
    return Fault(str(one.get("method", "*")).lower(), kind, times, int(one.get("chat", 0)), share, dice)


@dataclass
class Faults:
    """The faults still to come, first come first taken; `given` counts those taken by (method, kind)."""

    waiting: list[Fault] = field(default_factory=list)
    given: Counter[tuple[str, str]] = field(default_factory=Counter)

    def add(self, wanted: list[Json]) -> None:
        """Take over a list of {method, fault, times?, chat?, share?, seed?}; {clear: true} forgets those before it.

        With `share` and without `times` a fault lasts until it is cleared. ValueError for a kind nobody knows.
        """
        for one in wanted:
            if one.get("clear"):
                self.waiting.clear()
            if "fault" in one or not one.get("clear"):
                self.waiting.append(_read(one))

    def take(self, method: str, chat: int) -> str:
        """The kind of fault this call suffers, or "" for none."""
        for fault in self.waiting:
            if fault.method not in {"*", method} or fault.chat not in {0, chat}:
                continue
            if fault.share < 1 and fault.dice.random() >= fault.share:
                continue
            if fault.times:
                fault.times -= 1
                if not fault.times:
                    self.waiting.remove(fault)
            self.given[method, fault.kind.partition(":")[0]] += 1
            return fault.kind
        return ""
