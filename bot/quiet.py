"""When nobody is woken: bare rules about local time; it must not know what is sent."""

from __future__ import annotations

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

BEGINS: Final = dt.time(21)
ENDS: Final = dt.time(8)
_EARLIEST: Final = dt.time(6, 30)  # what concerns this very day may come from here
EVENING: Final = dt.time(19, 30)
"""When something is said that would have come in the night: between 19:00 and 20:30."""


def is_quiet(local: dt.datetime) -> bool:
    """Between 21:00 and 08:00 local time."""
    return local.time() >= BEGINS or local.time() < ENDS


def evening_before(at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    """The evening (19:30, UTC instant) before a time in the quiet hours; any other time stays as it is."""
    local = at.astimezone(zone)
    if not is_quiet(local):
        return at
    day = local.date() if local.time() >= BEGINS else local.date() - dt.timedelta(days=1)
    return dt.datetime.combine(day, EVENING, zone).astimezone(dt.UTC)


def held_until(now: dt.datetime, zone: ZoneInfo, concerns: dt.datetime | None) -> dt.datetime | None:
    """When something held may leave: None now; 08:00, or 06:30 when it `concerns` something on that very day."""
    local = now.astimezone(zone)
    if not is_quiet(local):
        return None
    morning = local.date() + dt.timedelta(days=1 if local.time() >= BEGINS else 0)
    today = concerns is not None and concerns.astimezone(zone).date() <= morning
    if today and concerns is not None and concerns.astimezone(zone).date() < morning:
        return None  # it starts before the night is over
    until = dt.datetime.combine(morning, _EARLIEST if today else ENDS, zone)
    return until.astimezone(dt.UTC) if until > local else None
