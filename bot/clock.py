"""The one place where the clock is read; it must not decide anything.

Real time plus an offset that only the demo and tests set. Time-outs, pace and leases use `monotonic`.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable


class Clock:
    """Real time plus an offset. `on_change` functions are called (in the caller's thread) when the offset moves."""

    def __init__(self) -> None:
        self._offset = dt.timedelta(0)
        self._on_change: list[Callable[[], None]] = []

    def now(self) -> dt.datetime:
        """The time, aware, in UTC."""
        return dt.datetime.now(dt.UTC) + self._offset  # noqa: TID251 (the one place)

    def on_change(self, call: Callable[[], None]) -> None:
        """Call this whenever the offset changes: what is due may be due earlier."""
        self._on_change.append(call)

    @property
    def offset(self) -> float:
        """Seconds by which this clock is ahead of real time."""
        return self._offset.total_seconds()

    def set_offset(self, seconds: float) -> None:
        """Move the clock to real time plus this many seconds."""
        offset = dt.timedelta(seconds=seconds)
        if offset != self._offset:
            self._offset = offset
            for call in self._on_change:
                call()


def monotonic() -> float:
    """Seconds that never go back, for time-outs and pace."""
    return time.monotonic()
