"""Signing up as a conversation: one question at a time, and nothing of somebody else's."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot import participants, people, programmes, sessions
from bot.channel import Incoming
from bot.conversation import NOWHERE, City, Reply, State, Turn
from bot.language import Joined, Text
from bot.office import Office
from bot.storage import tables
from bot.storage.database import Database
from bot.topics import Pack
from handlers import sessions as own
from handlers import signup

ZONE = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2027, 3, 1, 11, tzinfo=dt.UTC)
_TITLE = {"nl": "Zomerklas"}


@pytest.fixture
def city(office: Office) -> City:
    bare = Pack(
        folder=Path(), city="Lokeren", zone=ZONE, source_language="nl", languages=("nl", "en"), help_sentence="",
        groups={}, group_emoji={}, topics={}, values={}, words={}, examples={}, programmes={}, protocol={}, status={},
        digest="",
    )  # fmt: skip
    return City(pack=bare, office=office, staff=True, demo=False, bot_name="b")


class Phone:
    """One newcomer's chat, without the edges: taps and texts go to the functions that the routes name."""

    def __init__(self, db: sa.Connection, city: City, number: int = 1) -> None:
        person = people.meet(db, number, "en", NOW)
        incoming = Incoming(1, "text", chat=number, sender=number)
        self.turn = Turn(db=db, now=NOW, person=person, state=NOWHERE, incoming=incoming, city=city)

    def does(self, handler: Any, argument: str = "", said: str = "") -> Reply:
        reply: Reply = handler(dataclasses.replace(self.turn, argument=argument, said=said))
        if reply.state is not None:
            self.turn = dataclasses.replace(self.turn, state=State(reply.state.name, dict(reply.state.data)))
        assert all(message.buttons for message in reply.messages), "a message without a way on"
        assert all(len(b.data.encode()) <= 64 for message in reply.messages for b in message.buttons)
        return reply


def keys(value: Any) -> set[str]:
    """The msgids in what is said."""
    match value:
        case Text():
            return {value.key}.union(*map(keys, value.values.values()))
        case Joined():
            return set().union(*map(keys, value.parts))
    return set()


def said(reply: Reply) -> set[str]:
    return set().union(*(keys(part) for message in reply.messages for part in message.parts))


def taps(reply: Reply) -> set[str]:
    return {button.data for message in reply.messages for button in message.buttons}


def prepare(db: sa.Connection, *, days: int = 2, **more: Any) -> None:
    entry = {"topic": "t", "title": _TITLE, "seats": 1, "for": {"who": "ages", "from": 12, "to": 18}, **more}
    programmes.put(db, "summer", entry)
    about = programmes.get(db, "summer", demo=True)
    assert about is not None
    for day in range(days):
        programmes.add_session(db, about, f"2027-03-1{day}T09:00", ZONE)


def enrol(phone: Phone, name: str, age: str) -> Reply:
    phone.does(signup.begin, "summer")
    phone.does(signup.who, "child")
    phone.does(signup.name, said=name)
    return phone.does(signup.age, said=age)


def places(phone: Phone) -> list[tuple[str, str]]:
    return [(one.participant.name, one.state) for one in sessions.own(phone.turn.db, phone.turn.person.id, NOW)]


def test_a_mother_signs_up_her_child_for_all_days(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone = Phone(db, city)
        asked = phone.does(signup.begin, "summer")
        assert "who:child" in taps(asked)
        name = phone.does(signup.who, "child")
        why = "Now I ask for a name. It is for the list. Only the teacher and the staff of the city see it."
        assert why in said(name)
        phone.does(signup.name, said="Sara")
        assert places(phone) == []  # nothing before the last tap
        assert "book" in taps(phone.does(signup.age, said="13"))
        phone.does(signup.book)
        assert places(phone) == [("Sara", "booked"), ("Sara", "booked")]

    database.run_now(story)


@pytest.mark.parametrize("digits", ["13", "١٣", "۱۳", "13 jaar"])
def test_an_age_in_digits_of_any_script(sqlite: Database, city: City, digits: str) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone = Phone(db, city)
        enrol(phone, "Sara", digits)
        assert [one.age for one in participants.participants(db, phone.turn.person.id)] == [13]

    sqlite.run_now(story)


@pytest.mark.parametrize("age", ["11", "19"])
def test_the_wrong_age_is_said_kindly_and_not_booked(sqlite: Database, city: City, age: str) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone = Phone(db, city)
        refused = enrol(phone, "Sara", age)
        assert "I am sorry, this is not for the age of {name}." in said(refused)
        assert "book" not in taps(refused)
        phone.does(signup.book)
        assert places(phone) == []

    sqlite.run_now(story)


def test_the_same_child_twice_is_refused_kindly(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone = Phone(db, city)
        enrol(phone, "Sara", "13")
        phone.does(signup.who, "child")
        again = phone.does(signup.name, said=" SARA ")
        assert "{name} is already on the list." in said(again)
        phone.does(signup.book)
        assert places(phone) == [("Sara", "booked")] * 2

    sqlite.run_now(story)


def test_several_children_and_a_known_name_is_a_button(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, seats=3)
        phone = Phone(db, city)
        enrol(phone, "Sara", "13")
        phone.does(signup.who, "child")
        phone.does(signup.name, said="Ali")
        phone.does(signup.age, said="15")
        phone.does(signup.book)
        assert sorted(set(places(phone))) == [("Ali", "booked"), ("Sara", "booked")]
        known = {f"who:{one.id}" for one in participants.participants(db, phone.turn.person.id)}
        assert known <= taps(phone.does(signup.begin, "summer"))

    sqlite.run_now(story)


def test_a_day_can_be_left_out(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, days=3)
        phone = Phone(db, city)
        enrol(phone, "Sara", "13")
        second = programmes.upcoming(db, "summer", NOW)[1]
        phone.does(signup.days, str(second.id))
        phone.does(signup.ready)
        phone.does(signup.book)
        days = [one.session.id for one in sessions.own(db, phone.turn.person.id, NOW)]
        assert len(days) == 2
        assert second.id not in days

    sqlite.run_now(story)


def test_full_is_the_waiting_list(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, days=1)
        first, second = Phone(db, city, 1), Phone(db, city, 2)
        for phone in (first, second):
            enrol(phone, "Sara", "13")
        first.does(signup.book)
        waits = second.does(signup.book)
        assert "It is full on some days. When a place is free, I write to you." in said(waits)
        assert places(second) == [("Sara", "waiting")]

    sqlite.run_now(story)


_OWN = (own.coming, own.late, own.where, own.cannot, own.no, own.no_day, own.take, own.leave)


@pytest.mark.parametrize("handler", _OWN)
def test_a_tap_with_somebody_elses_number_changes_nothing(sqlite: Database, city: City, handler: Any) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, days=1)
        phone, thief = Phone(db, city, 1), Phone(db, city, 2)
        enrol(phone, "Sara", "13")
        phone.does(signup.book)
        (mine,) = sessions.own(db, phone.turn.person.id, NOW)
        for argument in (str(mine.id), str(mine.session.id), "", "0", "-1", "9" * 30, "٣", "x:y"):
            thief.does(handler, argument)
        rows = db.execute(sa.select(tables.booking)).all()
        assert [(row.state, row.coming_at, row.late_at) for row in rows] == [("booked", None, None)]

    sqlite.run_now(story)


def test_somebody_elses_child_cannot_be_signed_up(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone, thief = Phone(db, city, 1), Phone(db, city, 2)
        enrol(phone, "Sara", "13")
        (child,) = participants.participants(db, phone.turn.person.id)
        thief.does(signup.begin, "summer")
        thief.does(signup.who, str(child.id))
        thief.does(signup.book)
        assert db.execute(sa.select(tables.booking)).all() == []

    sqlite.run_now(story)


def test_i_cannot_come_asks_once_and_frees_the_place(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db)
        phone = Phone(db, city)
        enrol(phone, "Sara", "13")
        phone.does(signup.book)
        first, second = sessions.own(db, phone.turn.person.id, NOW)
        asked = phone.does(own.cannot, str(first.session.id))
        assert {f"no:{first.id}", "noprog:summer"} <= taps(asked)
        assert len(places(phone)) == 2
        phone.does(own.no, str(first.id))
        assert [one.id for one in sessions.own(db, phone.turn.person.id, NOW)] == [second.id]
        phone.does(own.no_programme, "summer")
        assert places(phone) == []

    sqlite.run_now(story)


def test_late_keeps_the_place(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, days=1)
        phone = Phone(db, city)
        enrol(phone, "Sara", "13")
        phone.does(signup.book)
        (one,) = sessions.own(db, phone.turn.person.id, NOW)
        phone.does(own.late, str(one.session.id))
        (after,) = sessions.own(db, phone.turn.person.id, NOW)
        assert (after.state, after.late_at) == ("booked", NOW)

    sqlite.run_now(story)


def test_examples_are_never_shown_by_a_real_bot(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, demo=True)
        assert "programme:summer" not in taps(Phone(db, city).does(own.all_programmes))
        assert "signup:summer" not in taps(signup.programme_start(Phone(db, city).turn, "summer"))
        show = dataclasses.replace(city, demo=True)
        assert "programme:summer" in taps(Phone(db, show).does(own.all_programmes))

    sqlite.run_now(story)


def test_without_dates_there_is_a_bell(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        prepare(db, days=0)
        phone = Phone(db, city)
        assert "interest:summer" in taps(phone.does(own.programme, "summer"))
        phone.does(own.interest, "summer")
        assert len(db.execute(sa.select(tables.interest)).all()) == 1

    sqlite.run_now(story)
