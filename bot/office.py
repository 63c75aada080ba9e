"""When people of the city are there: office hours, Belgian holidays, promises; bare rules with the time as argument."""

from __future__ import annotations

import datetime as dt
import functools
import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN: Final = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")

Hours = tuple[tuple[tuple[dt.time, dt.time], ...], ...]
"""For each weekday (Monday first) its spans of local time."""


def parse_hours(text: str) -> Hours:
    """Hours from text such as "mon-fri 09:00-12:00,13:00-16:00; sat 10:00-12:00"; "" is never. Raises ValueError."""
    week: list[tuple[tuple[dt.time, dt.time], ...]] = [()] * 7
    for block in filter(None, (part.strip() for part in text.lower().split(";"))):
        days, _, spans = block.partition(" ")
        parsed = tuple(_parse_span(span.strip()) for span in spans.split(","))
        for day in _parse_days(days):
            week[day] = parsed
    return tuple(week)


def _parse_days(text: str) -> list[int]:
    first, _, last = text.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        msg = f'"{text}" is not a range of days; expected for example mon-fri or sat'
        raise ValueError(msg)
    start = _DAYS.index(first)
    end = _DAYS.index(last) if last else start
    return [(start + n) % 7 for n in range((end - start) % 7 + 1)]


def _parse_span(text: str) -> tuple[dt.time, dt.time]:
    found = _SPAN.fullmatch(text)
    msg = f'"{text}" is not a span of time; expected for example 09:00-12:00'
    if found is None:
        raise ValueError(msg)
    numbers = [int(part) for part in found.groups()]
    end = (0, 0) if numbers[2:] == [24, 0] else (numbers[2], numbers[3])
    try:
        start_at, end_at = dt.time(numbers[0], numbers[1]), dt.time(*end)
    except ValueError:
        raise ValueError(msg) from None
    if end == (0, 0):
        end_at = dt.time(23, 59, 59)
    if start_at >= end_at:
        raise ValueError(msg)
    return start_at, end_at


@functools.cache
def holidays_of(year: int) -> frozenset[dt.date]:
    """The public holidays of Belgium in a year (library `holidays`)."""
    import holidays

    return frozenset(holidays.country_holidays("BE", years=year))


@dataclass(frozen=True, slots=True)
class Office:
    """The city's hours: `hours` when staff answer, `duty` when somebody may be woken, `within` office time."""

    zone: ZoneInfo
    hours: Hours
    duty: Hours
    within: dt.timedelta

    def local(self, at: dt.datetime) -> dt.datetime:
        """An instant in the city's zone."""
        return at.astimezone(self.zone)

    def is_open(self, at: dt.datetime) -> bool:
        """Whether staff are at work."""
        local = self.local(at)
        return any(start <= local.time() < end for start, end in self._spans(self.hours, local.date(), closed=True))

    def on_duty(self, at: dt.datetime) -> bool:
        """Whether alerts are posted anew: duty hours also count on holidays."""
        local = self.local(at)
        return any(start <= local.time() <= end for start, end in self._spans(self.duty, local.date(), closed=False))

    def next_open(self, at: dt.datetime) -> dt.datetime | None:
        """Now, if open, else the next opening; None when the office never opens (within a month)."""
        return at if self.is_open(at) else self.add(at, dt.timedelta(0))

    def promise(self, at: dt.datetime) -> dt.datetime | None:
        """Before when a person answers what is asked now; None when nobody can say."""
        return self.add(at, self.within)

    def add(self, at: dt.datetime, time: dt.timedelta) -> dt.datetime | None:
        """The instant after so much office time from `at` (UTC); None when a month of days does not hold it."""
        local = self.local(at)
        for ahead in range(32):
            date = local.date() + dt.timedelta(days=ahead)
            for start, end in self._spans(self.hours, date, closed=True):
                begin = max(dt.datetime.combine(date, start, self.zone), local)
                finish = dt.datetime.combine(date, end, self.zone)
                if begin >= finish:
                    continue
                if finish - begin >= time >= dt.timedelta(0):
                    return (begin + time).astimezone(dt.UTC)
                time -= finish - begin
        return None

    @staticmethod
    def _spans(hours: Hours, date: dt.date, *, closed: bool) -> tuple[tuple[dt.time, dt.time], ...]:
        if closed and date in holidays_of(date.year):
            return ()
        return hours[date.weekday()]
