"""What was accepted and what was refused, in numbers: the judge's record; it must never be changed by a bot's wish."""

from __future__ import annotations

from array import array
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from simulator.state import Json

KINDS = ("text", "photo", "document", "voice", "venue", "location", "contact", "video", "sticker", "audio")


@dataclass(frozen=True, slots=True)
class Accept:
    """One accepted send. `n` counts from 1; `mono` is monotonic seconds, `wall` real seconds since 1970.

    `thread` 0 is no topic; `kind` is "text" or the medium; `text` the text or the caption.
    """

    n: int
    mono: float
    wall: float
    method: str
    chat: int
    thread: int
    kind: str
    text: str
    message_id: int

    def shown(self) -> Json:
        """As JSON."""
        return asdict(self)


def accept_of(n: int, method: str, mono: float, wall: float, message: Json) -> Accept:
    """The line of a message that was just made."""
    kind = next((name for name in KINDS if name in message), "other")
    if kind == "location" and "venue" in message:
        kind = "venue"
    return Accept(
        n,
        mono,
        wall,
        method,
        message["chat"]["id"],
        message.get("message_thread_id", 0),
        kind,
        message.get("text") or message.get("caption") or "",
        message["message_id"],
    )


@dataclass
class Figures:
    """The accept log and counts.

    `too_many` are the 429 of the limits, `asked_too_many` those of a fault, both by (method, chat). `polls` counts
    getUpdates by how it ended, `hooks` the POSTs to a webhook. `written` says when an update came to be and `handed`
    when it first went out to the bot (update id → monotonic seconds); `hook_seconds` is how long each POST that was
    taken waited for its 2xx. `busiest_second` is the most sends that were accepted within any second.
    """

    accepts: list[Accept] = field(default_factory=list)
    too_many: Counter[tuple[str, int]] = field(default_factory=Counter)
    asked_too_many: Counter[tuple[str, int]] = field(default_factory=Counter)
    polls: Counter[str] = field(default_factory=Counter)
    hooks: Counter[str] = field(default_factory=Counter)
    busiest_second: int = 0
    written: dict[int, float] = field(default_factory=dict)
    handed: dict[int, float] = field(default_factory=dict)
    hook_seconds: array[float] = field(default_factory=lambda: array("d"))
    _second: deque[float] = field(default_factory=deque)

    def add(self, accept: Accept) -> None:
        """Take one accepted send."""
        self.accepts.append(accept)
        second = self._second
        second.append(accept.mono)
        while second[0] <= accept.mono - 1:
            second.popleft()
        self.busiest_second = max(self.busiest_second, len(second))

    def since(self, after: int) -> list[Accept]:
        """The accepted sends after number `after`."""
        return self.accepts[max(0, after) :]

    def shown(self) -> Json:
        """As JSON, without the accept log itself."""
        return {
            "accepted": len(self.accepts),
            "busiest_second": self.busiest_second,
            "too_many": _rows(self.too_many),
            "asked_too_many": _rows(self.asked_too_many),
            "polls": dict(self.polls),
            "hooks": dict(self.hooks),
            "hook_seconds": {str(part): part_of(self.hook_seconds, part) for part in (0.5, 0.99, 1.0)},
        }


def part_of(values: Iterable[float], part: float) -> float:
    """The value below which this part of them lies (1.0: the greatest); 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


def _rows(counts: Counter[tuple[str, int]]) -> list[Json]:
    return [{"method": method, "chat": chat, "count": count} for (method, chat), count in counts.items()]
