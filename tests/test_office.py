"""When people of the city are there: promises over nights, weekends and Belgian holidays."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.office import Office, parse_hours
from tests.conftest import ZONE

HOURS = parse_hours("mon-fri 09:00-12:00,13:00-16:00")
OFFICE = Office(ZONE, HOURS, parse_hours("mon-sun 08:00-22:00"), dt.timedelta(hours=7))


def local(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("asked", "hours", "answered"),
    [
        ("2030-01-07T09:00", 2, "2030-01-07T11:00"),
        ("2030-01-07T11:00", 2, "2030-01-07T14:00"),  # over lunch
        ("2030-01-07T15:00", 2, "2030-01-08T10:00"),  # over night
        ("2030-01-11T15:30", 1, "2030-01-14T09:30"),  # over the weekend
        ("2030-12-24T15:00", 2, "2030-12-26T10:00"),  # Christmas
        ("2030-04-21T12:00", 1, "2030-04-23T10:00"),  # Easter Monday
        ("2030-07-21T03:00", 6, "2030-07-22T16:00"),
    ],
)
def test_a_promise_counts_office_time(asked: str, hours: int, answered: str) -> None:
    assert OFFICE.add(local(asked), dt.timedelta(hours=hours)) == local(answered)


@given(
    asked=st.datetimes(dt.datetime(2029, 1, 1), dt.datetime(2031, 12, 31)),  # noqa: DTZ001 (the zone is put on below)
    minutes=st.integers(0, 40 * 60),
)
def test_a_promise_is_always_in_the_future_and_in_office_hours(asked: dt.datetime, minutes: int) -> None:
    at = asked.replace(tzinfo=dt.UTC)
    promised = OFFICE.add(at, dt.timedelta(minutes=minutes))
    assert promised is not None
    assert promised >= at
    assert OFFICE.is_open(promised - dt.timedelta(seconds=1)) or OFFICE.is_open(promised)


def test_an_office_that_never_opens_promises_nothing() -> None:
    closed = Office(ZONE, parse_hours(""), parse_hours(""), dt.timedelta(hours=1))
    assert closed.promise(local("2030-01-07T09:00")) is None
    assert closed.next_open(local("2030-01-07T09:00")) is None
    assert not closed.on_duty(local("2030-01-07T09:00"))


@pytest.mark.parametrize("text", ["mon 9-12", "monday 09:00-10:00", "mon 10:00-09:00", "mon 25:00-26:00"])
def test_bad_hours_are_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|is not"):
        parse_hours(text)
