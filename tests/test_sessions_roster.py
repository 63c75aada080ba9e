"""The roster of the day, and what comes by itself: what is said about a session, checked again when it leaves."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot import departures, interest, participants, people, programmes, reminders, roster, sessions
from bot.conversation import City
from bot.language import plain, render
from bot.message import Late, Message
from bot.office import Office
from bot.programmes import Session
from bot.storage.database import Database
from bot.topics import Pack
from handlers import notices

ZONE = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2027, 3, 1, 11, tzinfo=dt.UTC)
_TITLE = "MindSpring-groep"


@pytest.fixture
def city(office: Office) -> City:
    bare = Pack(
        folder=Path(), city="Lokeren", zone=ZONE, source_language="nl", languages=("nl", "en"), help_sentence="",
        groups={}, group_emoji={}, topics={}, values={}, words={}, examples={}, programmes={}, protocol={}, status={},
        digest="",
    )  # fmt: skip
    return City(pack=bare, office=office, staff=True, demo=False, bot_name="b")


def make(db: sa.Connection, *, seats: int = 9, discreet: bool = False) -> Session:
    place = {"nl": "Zaal 2"}
    entry = {"topic": "t", "emoji": "🌱", "title": {"nl": _TITLE}, "seats": seats, "discreet": discreet, "place": place}
    programmes.put(db, "group", entry)
    about = programmes.get(db, "group", demo=False)
    assert about is not None
    return programmes.add_session(db, about, "2027-03-10T14:00", ZONE)


def enrol(db: sa.Connection, number: int, session: Session, name: str, city: City) -> str:
    person = people.meet(db, number, "en", NOW)
    child, _ = participants.add_participant(db, person.id, name, child=True, age=13, now=NOW)
    reminders.book(db, person.id, [child.id], [session], city=city, now=NOW)
    return person.id


def words(message: Message) -> str:
    """As on the phone, with titles from the table and everything else as its English message."""

    def look_up(key: str, _language: str) -> str:
        return {"programme:group/title": _TITLE, "programme:group/place": "Zaal 2"}.get(key, key)

    return plain("\n\n".join(render(part, "en", look_up) for part in message.parts))


def at(day: int, clock: str) -> dt.datetime:
    return dt.datetime.fromisoformat(f"2027-03-{day:02}T{clock}").replace(tzinfo=ZONE).astimezone(dt.UTC)


def test_the_roster_tells_what_each_child_does(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, seats=5)
        persons = {name: enrol(db, n, session, name, city) for n, name in enumerate(("Ali", "Bea", "Cem", "Dua"), 1)}
        paper, _ = participants.add_participant(db, None, "Eva", child=True, age=13, now=NOW)
        sessions.book(db, None, paper.id, session, NOW)
        enrol(db, 6, session, "Fay", city)
        own = {name: sessions.own(db, person, NOW) for name, person in persons.items()}
        sessions.set_coming(db, own["Ali"], NOW)
        sessions.set_late(db, own["Bea"], NOW)
        people.mark_unreachable(db, persons["Cem"], NOW)
        states = {line.name: line.state for line in roster.lines(db, session)}
        assert states == {
            "Ali": "coming", "Bea": "late", "Cem": "unreachable", "Dua": "silent", "Eva": "paper", "Fay": "waiting",
        }  # fmt: skip
        reminders.cancel(db, own["Dua"], "person", city=city, now=NOW)
        states = {line.name: line.state for line in roster.lines(db, session)}
        assert (states["Dua"], states["Fay"]) == ("cannot", "silent")

    database.run_now(story)


def test_the_roster_is_posted_by_itself_at_half_past_seven_once(database: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        make(db)
        assert roster.post_due(db, city=city, now=at(9, "12:00")) == 0
        assert roster.post_due(db, city=city, now=at(10, "07:29")) == 0
        assert roster.post_due(db, city=city, now=at(10, "07:30")) == 1
        assert roster.post_due(db, city=city, now=at(10, "07:31")) == 0

    database.run_now(story)


def test_a_bot_that_slept_posts_the_roster_later_but_not_after_the_session(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        make(db)
        assert roster.post_due(db, city=city, now=at(10, "16:00")) == 0
        assert roster.post_due(db, city=city, now=at(10, "13:00")) == 1

    sqlite.run_now(story)


def _reminder(db: sa.Connection, city: City, now: dt.datetime) -> Message | None:
    one = next(one for one in departures.due(db, at(10, "14:00")) if one.kind == "reminder")
    assert isinstance(one.content, Late)
    return notices.RENDERERS[one.content.name](db, one.content.data, city=city, now=now)


@pytest.mark.parametrize("discreet", [True, False])
def test_what_is_discreet_says_nothing_in_its_first_60_characters(
    sqlite: Database,
    city: City,
    discreet: bool,
) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db, discreet=discreet)
        enrol(db, 1, session, "Sara", city)
        said = _reminder(db, city, at(9, "14:00"))
        assert said is not None
        assert _TITLE in words(said)
        assert (_TITLE in words(said)[:60]) is not discreet
        if discreet:
            assert "🌱" not in words(said)[:60]
            assert "Sara" not in words(said)[:60]

    sqlite.run_now(story)


def test_a_reminder_names_all_children_and_asks(sqlite: Database, city: City) -> None:
    def story(db: sa.Connection) -> None:
        session = make(db)
        for name in ("Ali", "Sara"):
            enrol(db, 1, session, name, city)
        said = _reminder(db, city, at(9, "14:00"))
        assert said is not None
        assert "Ali, Sara" in words(said)
        assert [button.data for button in said.buttons][:3] == [
            f"coming:{session.id}", f"cannot:{session.id}", f"where:{session.id}",
        ]  # fmt: skip
        assert _reminder(db, city, session.starts_at) is None

    sqlite.run_now(story)


def test_every_late_text_of_sessions_has_its_renderer(sqlite: Database, city: City) -> None:
    """What the domain plans by name is known to those who write it."""

    def story(db: sa.Connection) -> None:
        session = make(db, seats=1)
        person = enrol(db, 1, session, "Ali", city)
        enrol(db, 2, session, "Bea", city)
        enrol(db, 3, session, "Cem", city)
        interest.add_interest(db, person, "group", NOW)
        interest.tell_interested(db, "group", NOW)
        reminders.cancel(db, sessions.own(db, person, NOW), "person", city=city, now=NOW)
        second = people.meet(db, 2, "en", NOW).id
        reminders.cancel(db, sessions.own(db, second, NOW), "person", city=city, now=at(10, "08:30"))
        reminders.move_session(db, session, "2027-03-10T15:00", city=city, now=NOW)
        before = departures.due(db, at(30, "12:00"), limit=999)
        moved = programmes.session(db, session.id)
        assert moved is not None
        reminders.cancel_session(db, moved, now=NOW)
        everything = [one.content for one in (*before, *departures.due(db, at(30, "12:00"), limit=999))]
        names = {content.name for content in everything if isinstance(content, Late)}
        assert names >= {"place-given", "place-offered", "dates-known", "session-moved", "session-cancelled"}
        assert names <= set(notices.RENDERERS)

    sqlite.run_now(story)
