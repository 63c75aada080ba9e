"""Updates twice and out of order, as a test asks; it must lose none, and fall the same way for the same seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from simulator.state import Json

HOLD = 0.05
"""Seconds that a delivery waits for company when it is to be shuffled."""


def lane_of(update: Json) -> int:
    """The chat an update belongs to (a person's id when there is none, 0 when there is neither)."""
    for body in update.values():
        if isinstance(body, dict):
            chat = body.get("chat")
            message = body.get("message")
            if chat is None and isinstance(message, dict):
                chat = message.get("chat")
            for owner in (chat, body.get("from"), body.get("user")):
                if isinstance(owner, dict) and isinstance(owner.get("id"), int):
                    return int(owner["id"])
    return 0


@dataclass
class Disorder:
    """`share` of the updates come once more, up to `window` deliveries later; the order is shuffled within `window`.

    Within one chat the order stays unless `within_chat`.
    """

    share: float = 0.0
    window: int = 1
    within_chat: bool = False
    seed: int = 1
    repeated: int = 0
    _later: deque[tuple[int, int]] = field(default_factory=deque)
    _taken: int = 0

    def __post_init__(self) -> None:
        if not (0 <= self.share <= 1 and self.window >= 1):
            msg = "expected a share from 0 to 1 and a window of at least 1"
            raise ValueError(msg)
        self.dice = random.Random(self.seed)

    @property
    def shuffles(self) -> bool:
        """Whether the order changes at all."""
        return self.window > 1

    def taken(self, update_ids: Iterable[int], *, idle: bool) -> list[int]:
        """Note updates the bot has taken; gives those to deliver once more now (all that wait when `idle`)."""
        if not self.share and not self._later:
            return []
        for update_id in update_ids:
            self._taken += 1
            if self.dice.random() < self.share:
                self._later.append((self._taken + self.dice.randint(1, self.window), update_id))
                self.repeated += 1
        due = [one for at, one in self._later if idle or at <= self._taken]
        self._later = deque((at, one) for at, one in self._later if not idle and at > self._taken)
        return due

    def shuffled(self, updates: list[Json]) -> list[Json]:
        """The updates in another order."""
        if not self.shuffles:
            return updates
        mixed: list[Json] = []
        for start in range(0, len(updates), self.window):
            part = updates[start : start + self.window]
            self.dice.shuffle(part)
            mixed += part
        if self.within_chat:
            return mixed
        # Each chat keeps its places and fills them in its own order.
        queues: dict[int, deque[Json]] = {}
        for update in updates:
            queues.setdefault(lane_of(update), deque()).append(update)
        return [queues[lane_of(update)].popleft() for update in mixed]
