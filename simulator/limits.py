"""Telegram's limits on sending, by the monotonic clock; it must not wait, only say how long to."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

OVERALL = 30  # messages a second
BURST = 3  # messages at once to one private chat, then one a second
GROUP = 20  # messages a minute to one group
MINUTE = 59.5  # half a second of tolerance: a caller that counts at its own end must not be caught by jitter


@dataclass
class _Bucket:
    size: float
    rate: float
    level: float
    at: float

    def wait(self, now: float) -> float:
        self.level = min(self.size, self.level + (now - self.at) * self.rate)
        self.at = now
        return 0.0 if self.level >= 1 else (1 - self.level) / self.rate


@dataclass
class Limits:
    """`wait` says how many whole seconds a send to `chat` must wait (0: none); `take` counts one that was made."""

    on: bool = True
    _all: _Bucket | None = None
    _private: dict[int, _Bucket] = field(default_factory=dict)
    _group: dict[int, deque[float]] = field(default_factory=dict)

    def wait(self, now: float, chat: int, *, counted: bool) -> int:
        """Seconds until this is allowed. `counted`: it is a message in the chat, not an edit or the like."""
        if not self.on:
            return 0
        if self._all is None:
            self._all = _Bucket(OVERALL, OVERALL, OVERALL, now)
        seconds = self._all.wait(now)
        if counted and chat > 0:
            bucket = self._private.setdefault(chat, _Bucket(BURST, 1, BURST, now))
            seconds = max(seconds, bucket.wait(now))
        elif counted and chat < 0:
            sent = self._group.setdefault(chat, deque())
            while sent and now - sent[0] >= MINUTE:
                sent.popleft()
            if len(sent) >= GROUP:
                seconds = max(seconds, MINUTE - (now - sent[-GROUP]))
        return math.ceil(seconds)

    def take(self, now: float, chat: int, *, counted: bool, number: int = 1) -> None:
        """Count what was sent: `number` messages of one call (an album has several)."""
        if not self.on or self._all is None:
            return
        self._all.level -= number
        if counted and chat in self._private:
            self._private[chat].level -= number
        elif counted and chat in self._group:
            self._group[chat].extend([now] * number)
