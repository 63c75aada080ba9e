"""Telegram's limits, kept before they are met; it must not send anything. Time is monotonic seconds, as an argument.

30 a second overall, 1 a second per chat, 20 a minute per group; what Telegram asks for (`retry_after`) stops the
whole bot. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits
Of the 20, five are kept for priority 1 for two minutes after one was sent; copies of newcomers' texts are three
seconds apart, so that ten cases at once each get one every half minute (docs/decisions/0013-pace-in-the-group.md).
"""

from __future__ import annotations

from collections import deque
from typing import Final

_OVERALL: Final = 1 / 30
_CREDIT: Final = 0.1  # a send that comes this late is caught up with: three messages at most
_CHAT: Final = 1.0
_GROUP: Final = 20
_GROUP_KEPT: Final = 5
_KEPT_FOR: Final = 120.0
_GROUP_WINDOW: Final = 60.0
_COPIES_APART: Final = 3.0
_COPY: Final = 2  # the priority of copies; nothing else of it goes to the group
_SLOWED: Final = 4.0  # times slower right after a 429; half of it is gone after each quiet 5 seconds
_RECOVERY: Final = 5.0


class Pacer:
    """When the next message may leave. `off` lifts every limit except what Telegram asks for."""

    def __init__(self, *, off: bool = False) -> None:
        self.off = off
        self._next = 0.0
        self._chats: dict[str, float] = {}
        self._recent: deque[tuple[float, str]] = deque()
        self._group: deque[float] = deque()
        self._next_copy = 0.0
        self._urgent_at = -_KEPT_FOR
        self._paused_until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until anything at all may leave."""
        return max(0.0, self._paused_until - now, 0.0 if self.off else self._next - now)

    def blocked(self, now: float) -> dict[str, float]:
        """The persons' lanes in which nothing may leave yet, and until when."""
        while self._recent and self._recent[0][0] <= now:
            until, lane = self._recent.popleft()
            if self._chats.get(lane, 0.0) <= until:
                self._chats.pop(lane, None)
        return dict(self._chats)

    def chat_wait(self, lane: str, priority: int, now: float) -> float:
        """Seconds until something of this priority may leave in this lane (a person's chat, or the staff group)."""
        if self.off:
            return 0.0
        if lane.startswith("person:"):
            return max(0.0, self._chats.get(lane, 0.0) - now)
        kept = 0 if priority == 1 or now - self._urgent_at > _KEPT_FOR else _GROUP_KEPT
        most = _GROUP - kept
        self._forget(now)
        wait = 0.0 if len(self._group) < most else self._group[-most] + _GROUP_WINDOW - now
        return max(wait, self._next_copy - now) if priority == _COPY else wait

    def took(self, lane: str, priority: int, now: float, *, message: bool = True) -> None:
        """Something leaves now in this lane; `message`: it counts as one in the chat (an edit does not)."""
        if self.off:
            return
        slower = _SLOWED ** (0.5 ** ((now - self._paused_until) / _RECOVERY)) if self._paused_until else 1.0
        self._next = max(now - _CREDIT, self._next) + _OVERALL * slower
        if not message:
            return
        if lane.startswith("person:"):
            self._chats[lane] = now + _CHAT
            self._recent.append((now + _CHAT, lane))
            return
        self._forget(now)
        self._group.append(now)
        if priority == 1:
            self._urgent_at = now
        elif priority == _COPY:
            self._next_copy = now + _COPIES_APART

    def pause(self, seconds: float, now: float) -> None:
        """Telegram asked for silence."""
        self._paused_until = max(self._paused_until, now + seconds)

    def _forget(self, now: float) -> None:
        while self._group and self._group[0] <= now - _GROUP_WINDOW:
            self._group.popleft()
