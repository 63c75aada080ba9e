"""Telegram's limits, kept before they are met; it must not send anything. Time is monotonic seconds, as an argument.

30 a second overall, 1 a second per chat, 20 a minute per group with 5 kept for priority 1; what Telegram asks for
(`retry_after`) stops the whole bot. https://core.telegram.org/bots/faq#my-bot-is-hitting-limits
"""

from __future__ import annotations

from collections import deque
from typing import Final

_OVERALL: Final = 1 / 30
_CHAT: Final = 1.0
_GROUP: Final = 20
_GROUP_KEPT: Final = 5
_GROUP_WINDOW: Final = 60.0
_SLOWED: Final = 4.0  # times slower right after a 429; half of it is gone after each quiet 5 seconds
_RECOVERY: Final = 5.0


class Pacer:
    """When the next message may leave. `off` lifts every limit except what Telegram asks for."""

    def __init__(self, *, off: bool = False) -> None:
        self._off = off
        self._next = 0.0
        self._chats: dict[str, float] = {}
        self._group: deque[float] = deque()
        self._paused_until = 0.0

    def wait(self, now: float) -> float:
        """Seconds until anything at all may leave."""
        return max(0.0, self._paused_until - now, 0.0 if self._off else self._next - now)

    def chat_wait(self, lane: str, priority: int, now: float) -> float:
        """Seconds until something of this priority may leave in this lane (a person's chat, or the staff group)."""
        if self._off:
            return 0.0
        if lane.startswith("person:"):
            return max(0.0, self._chats.get(lane, 0.0) - now)
        most = _GROUP if priority == 1 else _GROUP - _GROUP_KEPT
        self._forget(now)
        return 0.0 if len(self._group) < most else self._group[-most] + _GROUP_WINDOW - now

    def took(self, lane: str, now: float) -> None:
        """Something leaves now in this lane."""
        slower = _SLOWED ** (0.5 ** ((now - self._paused_until) / _RECOVERY)) if self._paused_until else 1.0
        self._next = max(now, self._next) + _OVERALL * (slower if self._paused_until else 1.0)
        if lane.startswith("person:"):
            if len(self._chats) > 10_000:  # noqa: PLR2004 (what is long past says nothing)
                self._chats = {chat: at for chat, at in self._chats.items() if at > now}
            self._chats[lane] = now + _CHAT
        else:
            self._forget(now)
            self._group.append(now)

    def pause(self, seconds: float, now: float) -> None:
        """Telegram asked for silence."""
        self._paused_until = max(self._paused_until, now + seconds)

    def _forget(self, now: float) -> None:
        while self._group and self._group[0] <= now - _GROUP_WINDOW:
            self._group.popleft()
