"""The simulated clock: real time plus an offset; it must be the only place of the simulator that reads the time."""

from __future__ import annotations

import datetime as dt
import time


class SimClock:
    """Real time plus `offset` seconds; `version` counts the moves, so that a long poll can wait for the next."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.version = 0

    def now(self) -> dt.datetime:
        """The simulated time, aware, in UTC."""
        return real_now() + dt.timedelta(seconds=self.offset)

    def unix(self) -> int:
        """The simulated time as Telegram writes it: whole seconds since 1970."""
        return int(self.now().timestamp())

    def move(self, offset: float) -> None:
        """Set the offset (seconds)."""
        self.offset = offset
        self.version += 1


def real_now() -> dt.datetime:
    """The real time, aware, in UTC."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251 (the simulator cannot import the bot's clock)


def monotonic() -> float:
    """Seconds that never go back, for limits and time-outs."""
    return time.monotonic()
