"""Reminders: nobody is woken, nobody is told too late, exactly those who knew an old time hear the new one."""

from __future__ import annotations

import datetime as dt
import itertools
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from bot import departures, participants, people, programmes, quiet, reminders, sessions
from bot.conversation import City
from bot.departures import Delivery
from bot.message import Late
from bot.office import Office
from bot.programmes import Session
from bot.storage import tables
from bot.storage.database import Database
from bot.topics import Pack

ZONE = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2027, 3, 1, 11, tzinfo=dt.UTC)
LATER = dt.timedelta(days=300)
_NUMBERS = itertools.count(1)


@pytest.fixture
def city(office: Office) -> City:
    bare = Pack(
        folder=Path(), city="Lokeren", zone=ZONE, source_language="nl", languages=("nl", "en"), help_sentence="",
        groups={}, group_emoji={}, topics={}, values={}, words={}, examples={}, programmes={}, protocol={}, status={},
        digest="",
    )  # fmt: skip
    return City(pack=bare, office=office, staff=True, demo=False, bot_name="b")


def make(db: sa.Connection, starts: str = "2027-03-10T09:00", *, seats: int = 5, week: bool = True) -> Session:
    key = f"p{next(_NUMBERS)}"
    lead = {"week": week, "day": 24, "hours": 3}
    programmes.put(db, key, {"topic": "t", "title": {"nl": "Les"}, "seats": seats, "reminders": lead})
    about = programmes.get(db, key, demo=False)
    assert about is not None
    return programmes.add_session(db, about, starts, ZONE)


def enrol(
    db: sa.Connection, telegram_id: int, days: list[Session], city: City, *, name: str = "Sara", now: dt.datetime = NOW
) -> str:
    person = people.meet(db, telegram_id, "en", now)
    child, _ = participants.add_participant(db, person.id, name, child=True, age=13, now=now)
    reminders.book(db, person.id, [child.id], days, city=city, now=now)
    return person.id


def planned(db: sa.Connection, kind: str) -> list[Delivery]:
    return [one for one in departures.due(db, NOW + LATER, limit=999) if one.kind == kind]


def data(delivery: Delivery) -> dict[str, object]:
    assert isinstance(delivery.content, Late)
    return dict(delivery.content.data)


def local(delivery: Delivery) -> str:
    return f"{delivery.due_at.astimezone(ZONE):%a %H:%M}"


# Around both changes of the clock, and any other day.
_DAYS = st.one_of(
    st.dates(dt.date(2027, 3, 26), dt.date(2027, 3, 30)),
    st.dates(dt.date(2027, 10, 29), dt.date(2027, 11, 2)),
    st.dates(dt.date(2027, 1, 1), dt.date(2028, 12, 31)),
)


@given(
    _DAYS, st.integers(0, 24 * 60 - 1), st.timedeltas(dt.timedelta(0), dt.timedelta(days=15)),
    st.booleans(), st.integers(0, 72), st.integers(0, 12),
)  # fmt: skip
def test_nobody_is_woken_and_nobody_is_told_too_late(
    day: dt.date,
    minute: int,
    before: dt.timedelta,
    week: bool,
    lead: int,
    hours: int,
) -> None:
    start = programmes.instant(f"{day}T{minute // 60:02}:{minute % 60:02}", ZONE)
    now = start - before
    found = [at for _, at in reminders.times(start, ZONE, week=week, day=lead, hours=hours, now=now)]
    assert len(found) <= int(week) + bool(lead) + bool(hours)
    assert found == sorted(found)
    for at in found:
        assert not quiet.is_quiet(at.astimezone(ZONE))
        assert now < at < start
    assert all(later - earlier >= reminders.APART for earlier, later in itertools.pairwise(found))


@given(_DAYS, st.integers(0, 24 * 60 - 1))
def test_a_wall_time_is_an_instant_also_when_the_clock_changes(day: dt.date, minute: int) -> None:
    wall = dt.datetime.combine(day, dt.time(minute // 60, minute % 60))
    at = programmes.instant(f"{wall:%Y-%m-%dT%H:%M}", ZONE)
    back = at.astimezone(ZONE).replace(tzinfo=None)
    if back == wall:
        earlier = at - dt.timedelta(hours=1)  # a doubled hour is the first
        assert earlier.astimezone(ZONE).replace(tzinfo=None) != wall
    else:
        assert (day.month, wall.hour) == (3, 2)  # the missing hour: its first valid instant
        assert back == dt.datetime.combine(day, dt.time(3))


def test_a_class_at_nine_is_announced_the_evening_before(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        enrol(db, 1, [make(db)], city)
        assert [local(one) for one in planned(db, "reminder")] == ["Wed 09:00", "Tue 19:30"]

    sqlite.run_now(story)


def test_signed_up_late_the_past_is_left_out(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, "2027-03-10T15:00")
        enrol(db, 1, [session], city, now=session.starts_at - dt.timedelta(hours=5))
        assert [local(one) for one in planned(db, "reminder")] == ["Wed 12:00"]

    sqlite.run_now(story)


def test_the_week_is_announced_before_the_first_day_only(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        first = make(db, "2027-03-15T14:00")
        about = programmes.of_session(db, first)
        second = programmes.add_session(db, about, "2027-03-16T14:00", ZONE)
        enrol(db, 1, [first, second], city)
        weeks = [one for one in planned(db, "reminder") if one.due_at < NOW + dt.timedelta(days=9)]
        assert [data(one)["session"] for one in weeks] == [first.id]

    sqlite.run_now(story)


def test_several_children_are_one_reminder(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        for name in ("Sara", "Ali", "Noor"):
            enrol(db, 1, [session], city, name=name)
        (one,) = planned(db, "reminder")
        found = reminders.due_bookings(db, data(one), one.due_at)
        assert sorted(who.participant.name for who in found) == ["Ali", "Noor", "Sara"]

    database.run_now(story)


def test_who_cannot_come_gets_no_reminder_when_it_is_due(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        person = enrol(db, 1, [session], city)
        (one,) = planned(db, "reminder")
        assert reminders.due_bookings(db, data(one), one.due_at)
        assert reminders.due_bookings(db, data(one), session.starts_at) == []
        people.mute(db, person, NOW)
        assert reminders.due_bookings(db, data(one), one.due_at) == []
        people.mute(db, person, None)
        reminders.cancel(db, sessions.own(db, person, NOW), "person", city=city, now=NOW)
        assert reminders.due_bookings(db, data(one), one.due_at) == []

    sqlite.run_now(story)


def test_who_waits_is_not_reminded_until_there_is_a_place(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, seats=1, week=False)
        first = enrol(db, 1, [session], city)
        second = enrol(db, 2, [session], city)
        assert {one.person_id for one in planned(db, "reminder")} == {first}
        reminders.cancel(db, sessions.own(db, first, NOW), "person", city=city, now=NOW)
        assert second in {one.person_id for one in planned(db, "reminder")}

    sqlite.run_now(story)


def test_a_move_tells_exactly_those_who_knew_and_reminds_anew(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, seats=1, week=False)
        booked, waiting = enrol(db, 1, [session], city), enrol(db, 2, [session], city)
        gone, stranger = enrol(db, 3, [session], city), people.meet(db, 4, "en", NOW).id
        reminders.cancel(db, sessions.own(db, gone, NOW), "person", city=city, now=NOW)
        told = reminders.move_session(db, session, "2027-03-12T14:00", city=city, now=NOW)
        assert sorted(told) == sorted([booked, waiting])
        changes = planned(db, "change")
        assert {one.person_id for one in changes} == {booked, waiting}
        assert stranger not in told
        for one in changes:
            assert (data(one)["old"], data(one)["new"]) == ("2027-03-10T09:00", "2027-03-12T14:00")
        mine = [one for one in planned(db, "reminder") if one.person_id == booked]
        assert [local(one) for one in mine] == ["Thu 14:00", "Fri 11:00"]

    database.run_now(story)


def test_moved_twice_before_it_was_said_the_time_they_know_is_the_old_one(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        enrol(db, 1, [session], city)
        reminders.move_session(db, session, "2027-03-11T10:00", city=city, now=NOW)
        again = programmes.session(db, session.id)
        assert again is not None
        reminders.move_session(db, again, "2027-03-12T11:00", city=city, now=NOW)
        newest = planned(db, "change")[-1]
        assert (data(newest)["old"], data(newest)["new"]) == ("2027-03-10T09:00", "2027-03-12T11:00")

    sqlite.run_now(story)


def test_moved_there_and_back_before_it_was_said_nobody_is_troubled(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        enrol(db, 1, [session], city)
        reminders.move_session(db, session, "2027-03-11T10:00", city=city, now=NOW)
        again = programmes.session(db, session.id)
        assert again is not None
        reminders.move_session(db, again, session.local_start, city=city, now=NOW)
        assert planned(db, "change") == []

    sqlite.run_now(story)


def spoken(db: sa.Connection, delivery: Delivery, now: dt.datetime) -> list[int]:
    """The sessions that a reminder names when it leaves, which is then stored."""
    found = reminders.due_together(db, data(delivery), now)
    change = {"state": "sent", "attempted_at": now} if found else {"state": "superseded"}
    db.execute(sa.update(tables.outbox).where(tables.outbox.c.id == delivery.id).values(**change))
    return [bookings[0].session.id for bookings in found]


def test_two_programmes_on_one_morning_wake_the_phone_once(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        nine, ten = make(db, week=False), make(db, "2027-03-10T10:00", week=False)
        person = enrol(db, 1, [nine], city)
        enrol(db, 1, [ten], city)
        other = enrol(db, 2, [ten], city)
        told = [(one.person_id, spoken(db, one, one.due_at)) for one in planned(db, "reminder")]
        assert [named for who, named in told if who == person] == [[nine.id, ten.id], []]
        assert [named for who, named in told if who == other] == [[ten.id]]

    database.run_now(story)


def test_who_signs_up_after_the_first_reminder_is_reminded_of_the_second_too(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        three, four = make(db, "2027-03-10T15:00", week=False), make(db, "2027-03-10T16:00", week=False)
        enrol(db, 1, [three], city)
        first = planned(db, "reminder")[0]
        assert spoken(db, first, first.due_at) == [three.id]
        enrol(db, 1, [four], city, now=first.due_at + dt.timedelta(minutes=5))
        second = planned(db, "reminder")[0]
        assert (local(first), local(second)) == ("Tue 15:00", "Tue 16:00")
        assert spoken(db, second, second.due_at) == [four.id]

    sqlite.run_now(story)


def test_what_never_left_silences_no_other(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        nine, ten = make(db, week=False), make(db, "2027-03-10T10:00", week=False)
        person = enrol(db, 1, [nine], city)
        enrol(db, 1, [ten], city)
        reminders.cancel(db, sessions.own(db, person, NOW, session_id=nine.id), "person", city=city, now=NOW)
        assert [spoken(db, one, one.due_at) for one in planned(db, "reminder")] == [[], [ten.id]]

    sqlite.run_now(story)


def test_a_cancelled_session_is_said_once_and_not_reminded(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        person = enrol(db, 1, [session], city)
        assert reminders.cancel_session(db, session, now=NOW) == [person]
        assert reminders.cancel_session(db, session, now=NOW) == []
        assert len(planned(db, "change")) == 1
        assert planned(db, "reminder") == []

    database.run_now(story)


def test_repair_plans_what_is_missing_and_nothing_twice(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        enrol(db, 1, [make(db)], city)
        before = [(one.person_id, one.due_at) for one in planned(db, "reminder")]
        reminders.repair(db, city=city, now=NOW)
        assert [(one.person_id, one.due_at) for one in planned(db, "reminder")] == before
        db.execute(sa.delete(tables.outbox))
        near = before[-1][1] - dt.timedelta(days=2)
        reminders.repair(db, city=city, now=near)
        reminders.repair(db, city=city, now=near)
        assert [(one.person_id, one.due_at) for one in planned(db, "reminder")] == before[-1:]

    database.run_now(story)


def test_what_reminds_of_the_old_time_is_not_said_after_a_move(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, week=False)
        enrol(db, 1, [session], city)
        (one,) = planned(db, "reminder")
        assert reminders.due_bookings(db, data(one), NOW)
        reminders.move_session(db, session, "2027-03-12T14:00", city=city, now=NOW)
        assert reminders.due_bookings(db, data(one), NOW) == []

    sqlite.run_now(story)


@pytest.mark.parametrize(
    ("wall", "utc"),
    [("2027-03-28T02:30", "2027-03-28T01:00"), ("2027-03-28T03:00", "2027-03-28T01:00"),
     ("2027-10-31T02:30", "2027-10-31T00:30"), ("2027-10-31T03:00", "2027-10-31T02:00")],
)  # fmt: skip
def test_the_missing_and_the_doubled_hour(wall: str, utc: str) -> None:
    assert f"{programmes.instant(wall, ZONE):%Y-%m-%dT%H:%M}" == utc
