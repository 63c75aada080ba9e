"""A newcomer, staff and a channel without a network, for the tests of cases, danger and privacy."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

import handlers
from bot import alerts, case_topics, cases, departures, erasure, handoff, outbox, people, staff_answers
from bot.cases import Case
from bot.channel import Incoming, Media
from bot.conversation import NOWHERE, City, State, Turn
from bot.language import STAFF_PREFIX, Text, plain, render
from bot.message import Late, Message
from bot.office import Office
from bot.outbox import Outcome
from bot.people import Person
from bot.storage.database import Database
from bot.topics import Pack
from bot.understanding import Decision

ZONE = ZoneInfo("Europe/Brussels")
NOW = dt.datetime(2027, 3, 1, 10, tzinfo=ZONE).astimezone(dt.UTC)  # a Monday, in office hours
NEWCOMER, ANN, BEN = 1001, 2001, 2002
AFTERS = {**case_topics.AFTERS, **staff_answers.AFTERS, **erasure.AFTERS}


@dataclass
class Look:
    """What a text says, given instead of understood."""

    dangers: tuple[str, ...] = ()
    label: str | None = None

    def decide(self, chosen: str | None, before: str | None = None) -> Decision:
        """The label as an intent; else nothing is known."""
        del before
        return Decision("intent" if self.label else "unknown", chosen or "en", self.label, 0.9)


@dataclass
class Left:
    """What left: the lane, the message, and its words."""

    lane: str
    message: Message
    text: str
    id: int


@dataclass
class Scene:
    """The turns of everybody on one database; `left` is what the channel got, in order."""

    database: Database
    city: City
    now: dt.datetime = NOW
    left: list[Left] = field(default_factory=list)
    outcomes: dict[str, str] = field(default_factory=dict)  # kind of delivery → how it ends, instead of sent
    ids: Any = field(default_factory=lambda: itertools.count(100))
    threads: Any = field(default_factory=lambda: itertools.count(7))

    def look_up(self, key: str, language: str) -> str:
        """Content of the pack, everything else in English."""
        return self.city.pack.look_up(key, language) or key.removeprefix(STAFF_PREFIX)

    def turn(self, user: int, *, staff: bool = False, look: Look | None = None, **values: Any) -> None:
        """One update, from the handler to what it planned."""
        values.setdefault("message_id", next(self.ids))
        incoming = Incoming(update_id=1, chat=-5 if staff else user, sender=user, private=not staff, **values)

        def work(db: sa.Connection) -> None:
            person = people.meet(db, user, None, self.now)
            name, data = people.load_state(db, person.id)
            route, _, argument = incoming.data.partition(":")
            if incoming.kind == "text" and incoming.text.startswith("/"):
                route, _, argument = incoming.text[1:].partition(" ")
            known = State(name, data) if name and name.startswith("staff-") == staff else NOWHERE
            turn = Turn(
                db=db, now=self.now, person=person, state=known, incoming=incoming, city=self.city, said=incoming.text,
                route=route, argument=argument, look=look, staff=staff, thread=incoming.thread,  # type: ignore[arg-type]
            )  # fmt: skip
            answer = handlers.handle(handlers.ROUTES, turn)
            case = case_topics.case_of_thread(db, incoming.thread) if incoming.thread is not None else None
            lane = outbox.case_lane(case) if case else outbox.STAFF_LANE if staff else outbox.person_lane(person.id)
            for message in answer.messages:
                outbox.plan(db, answer.kind, message, now=self.now, to=lane)
            if answer.state is not None and (answer.state.name or known.name):
                people.store_state(db, person.id, answer.state.name, answer.state.data)

        self.database.run_now(work)
        self.deliver()

    def write(
        self, text: str, *, danger: str = "", label: str | None = None, user: int = NEWCOMER, **more: Any
    ) -> None:
        """A newcomer writes."""
        look = Look((danger,) if danger else (), label)
        self.turn(user, look=look, **{"kind": "text", "text": text, **more})

    def tap(self, data: str, user: int = NEWCOMER) -> None:
        """A newcomer taps."""
        self.turn(user, kind="tap", data=data)

    def staff(self, text: str, user: int = ANN, **more: Any) -> int:
        """Somebody of staff writes in the topic; returns the id of the message."""
        message_id = more.pop("message_id", None) or next(self.ids)
        thread = more.pop("thread", None) or self.thread
        self.turn(user, staff=True, thread=thread, **{"kind": "text", "text": text, "message_id": message_id, **more})
        return int(message_id)

    def staff_tap(self, data: str, user: int = ANN, thread: int | None = None) -> None:
        """Somebody of staff taps."""
        self.turn(user, staff=True, thread=thread or self.thread, kind="tap", data=data)

    @property
    def case(self) -> Case:
        """The newest case."""
        found = self.database.run_now(lambda db: cases.get(db, max(one.id for one in self.all_cases(db))))
        assert found is not None
        return found

    @staticmethod
    def all_cases(db: sa.Connection) -> list[Any]:
        """The rows of all cases."""
        from bot.storage import tables

        return list(db.execute(sa.select(tables.case.c.id)))

    @property
    def thread(self) -> int:
        """The topic of the newest case."""
        found = self.case.thread
        assert found is not None
        return found

    def person(self, user: int = NEWCOMER) -> Person:
        """Somebody by Telegram id."""
        found = self.database.run_now(lambda db: people.find(db, user))
        assert found is not None
        return found

    def deliver(self) -> None:
        """Let everything leave that is due, with its outcome."""
        while self.database.run_now(self._some):
            pass

    def _some(self, db: sa.Connection) -> bool:
        for row in departures.due(db, self.now, limit=200):
            message = row.content
            thread = case_topics.thread_of(db, row.case_id or 0) if row.lane.startswith("case:") else None
            creates = isinstance(message, Message) and message.action == "topic_create"
            if row.lane.startswith("case:") and thread is None and not creates:
                continue
            state = self.outcomes.get(row.kind, "sent")
            if isinstance(message, Late):
                renderer = handlers.RENDERERS[message.name]
                found = renderer(db, message.data, city=self.city, now=self.now)
                state, message = ("cancelled", Message()) if found is None else (state, found)
            assert departures.claim(db, [row.id], self.now)
            message_id = next(self.ids) if state == "sent" and message.action not in {"delete", "topic_create"} else 0
            departures.finish(db, row.id, state, now=self.now, message_id=message_id)
            if state == "sent":
                self.left.append(Left(row.lane, message, self.words(message, row.lane, db), message_id))
            if row.after is not None:
                made = next(self.threads) if creates else None
                AFTERS[row.after.name](
                    db, row.after.data, Outcome(state, message_id, made), city=self.city, now=self.now
                )
            return True
        return False

    def words(self, message: Message, lane: str, db: sa.Connection | None = None) -> str:
        """A message as its reader sees it."""
        language = message.language or "nl"
        if db is not None and lane.startswith("person:"):
            person = people.get(db, lane.removeprefix("person:"))
            language = message.language or (people.language_of(person, self.city.pack.languages) if person else "en")
        return plain("\n\n".join(render(part, language, self.look_up) for part in message.parts))

    def heard(self, user: int = NEWCOMER) -> list[str]:
        """All texts a newcomer got."""
        lane = outbox.person_lane(self.person(user).id)
        return [one.text for one in self.left if one.lane == lane]

    def topic(self) -> list[Left]:
        """All that left to the newest case's topic."""
        return [one for one in self.left if one.lane == outbox.case_lane(self.case.id)]

    def alerts(self) -> list[Left]:
        """The alerts in the group."""
        return [one for one in self.left if one.lane == outbox.STAFF_LANE and "🔴" in one.text]

    def later(self, **delta: float) -> None:
        """Time goes by, with what the watch does."""
        self.now += dt.timedelta(**delta)
        self.database.run_now(lambda db: alerts.escalate(db, city=self.city, now=self.now))
        self.database.run_now(lambda db: handoff.missed_promises(db, city=self.city, now=self.now))
        self.deliver()

    def open(self, text: str = "Where is my letter?") -> Case:
        """The newcomer asks for a person; the case is open."""
        self.tap("person")
        self.write(text)
        return self.case


def keys(message: Message) -> list[str]:
    """The keys of a message's texts."""
    return [part.key for part in message.parts if isinstance(part, Text)]


def taps(message: Message) -> list[str]:
    """What its buttons say."""
    return [button.data for button in message.buttons]


def a_file(kind: str = "photo", album: str = "") -> dict[str, Any]:
    """What makes an update a file."""
    return {"kind": "media", "media": Media(kind, "file-1", album=album)}


def make_scene(database: Database, pack: Pack, office: Office, *, staff: bool = True) -> Scene:
    """A scene with Ann and Ben in the staff group (Ann is an admin) and a newcomer who chose English."""
    scene = Scene(database, City(pack=pack, office=office, staff=staff, demo=False, bot_name="b"))

    def meet(db: sa.Connection) -> None:
        people.note_member(db, ANN, "Ann", "administrator", NOW)
        people.note_member(db, BEN, "Ben", "member", NOW)
        people.choose_language(db, people.meet(db, NEWCOMER, None, NOW).id, "en")

    database.run_now(meet)
    return scene


def test_a_scene_without_staff_says_how_to_reach_the_city(sqlite: Database, pack: Pack, office: Office) -> None:
    scene = make_scene(sqlite, pack, office, staff=False)
    scene.tap("person")
    assert "Nobody of the city reads this chat" in scene.heard()[-1]
    assert "www.lokeren.be" in scene.heard()[-1]
    assert dataclasses.replace(scene.city, staff=True) != scene.city


__all__ = ["pytest"]
