"""Whatever people and staff do, in whatever order, and wherever the process dies: seats, texts and reminders hold.

`WEGWIJS_SEED` replays a run; a failing history is printed as the steps that led there.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bot import failpoints, participants, people, programmes, reminders, sessions
from bot.env_file import made_keys
from bot.parts import read_content
from bot.settings import load
from bot.storage import migrate, tables
from bot.storage.vault import unseal
from tests.faults.memory import ELS, STAFF_CHAT, START, Running
from tests.faults.rig import LONG, ROOT, TOKEN

SEED = int(os.environ.get("WEGWIJS_SEED") or random.SystemRandom().randrange(10**6))
HISTORIES, STEPS = (300, 80) if LONG else (8, 40)
CHATS = (1001, 1002, 1003)
COURSES = {"alfa": 1, "beta": 2}  # programme → seats
QUESTION = "waar kan ik Nederlands oefenen"
AGAIN = dt.timedelta(seconds=10)
"""After so long what could not be sent has been tried again."""
BASE = load(_env_file=None, content=ROOT / "content" / "lokeren", cache=ROOT / "var" / "cache")

who = st.sampled_from(CHATS)
course = st.sampled_from(sorted(COURSES))


class Histories(RuleBasedStateMachine):
    """The bot against what people may expect of it."""

    content: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="wegwijs-history-")
        self.loop = asyncio.new_event_loop()
        Histories.content = Histories.content or read_content(BASE)
        given = load(
            _env_file=None, telegram_token=TOKEN, database_url=f"sqlite:///{Path(self.folder.name) / 'town.db'}",
            staff_chat_id=STAFF_CHAT, pace="off", http_port=0, log_level="ERROR", content=BASE.content,
            cache=BASE.cache, **made_keys(),
        )  # fmt: skip
        self.bot = Running(given, Histories.content)
        self.bot.ahead = (START - dt.datetime.now(dt.UTC)).total_seconds()  # noqa: TID251 (the world outside the bot)
        self.numbers = itertools.count(1)
        self.texts: dict[str, int] = {}  # what must stand in a case, once → whose it is
        self.asked: Counter[int] = Counter()  # questions that must be answered once
        self.replies: dict[str, int] = {}  # what staff wrote → to whom
        self.queue: dict[str, list[int]] = {}
        self.do(self.begin())

    def do(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    async def begin(self) -> None:
        first = bots_database(self.bot)
        first.run_now(migrate.upgrade)
        first.run_now(self.courses)
        first.close()
        await self.bot.start()
        for chat in CHATS:
            await self.arrive(chat)

    def courses(self, db: sa.Connection) -> None:
        for name, seats in COURSES.items():
            programmes.put(db, name, {
                "topic": "dutch-practice", "title": {"nl": name.capitalize()}, "seats": seats,
                "reminders": {"day": 24, "hours": 3},
            })  # fmt: skip
            about = programmes.get(db, name, demo=False)
            assert about is not None
            programmes.add_session(db, about, "2030-01-16T14:00", BASE.zone)

    async def arrive(self, chat: int) -> None:
        self.write(chat, "/start")
        await self.bot.settle()
        self.tap(chat, "language:nl")
        await self.bot.settle()

    # --- what people do -----------------------------------------------------------------------------------------------

    def write(self, chat: int, text: str) -> None:
        person = {"id": chat, "is_bot": False, "first_name": f"P{chat}", "language_code": "nl"}
        room = {"id": chat, "type": "private", "first_name": f"P{chat}"}
        self.bot.telegram.say("message", {
            "message_id": next(self.bot.telegram.numbers), "date": 1, "chat": room, "from": person, "text": text,
        })  # fmt: skip

    def tap(self, chat: int, data: str) -> None:
        person = {"id": chat, "is_bot": False, "first_name": f"P{chat}", "language_code": "nl"}
        message = {"message_id": 1, "date": 1, "chat": {"id": chat, "type": "private"}}
        number = str(next(self.bot.telegram.numbers))
        self.bot.telegram.say("callback_query", {
            "id": number, "from": person, "message": message, "chat_instance": "1", "data": data,
        })  # fmt: skip

    def quiet(self) -> None:
        self.do(self.bot.settle())

    def database(self, work: Any) -> Any:
        return self.bot.app.database.run_now(work)

    def person(self, db: sa.Connection, chat: int) -> str:
        return people.meet(db, chat, "nl", self.bot.app.clock.now()).id

    def in_case(self, chat: int) -> bool:
        live = tables.case.c.state.in_(("open", "claimed", "answered"))
        cases = sa.select(tables.case.c.id).where(live)
        return bool(self.database(lambda db: db.scalar(cases.where(tables.case.c.person_id == self.person(db, chat)))))

    @rule(chat=who)
    def asks(self, chat: int) -> None:
        if chat in self.bot.telegram.blocked:
            return
        if self.in_case(chat):
            self.tells(chat)
            return
        self.asked[chat] += 1
        self.write(chat, QUESTION)
        self.quiet()

    @rule(chat=who)
    def tells(self, chat: int) -> None:
        if chat in self.bot.telegram.blocked:
            return
        if not self.in_case(chat):
            self.write(chat, "/person")
            self.quiet()
        words = f"verhaal {next(self.numbers)} einde"
        self.texts[words] = chat
        self.write(chat, words)
        self.quiet()

    @rule(chat=who)
    def staff_answer(self, chat: int) -> None:
        case = tables.case
        mine = sa.select(case.c.id, case.c.thread).where(case.c.state != "closed", case.c.thread.is_not(None))
        found = self.database(lambda db: db.execute(mine.where(case.c.person_id == self.person(db, chat))).first())
        if found is None or chat in self.bot.telegram.blocked:
            return
        group = {"id": STAFF_CHAT, "type": "supergroup", "title": "Onthaal", "is_forum": True}
        els = {"id": ELS, "is_bot": False, "first_name": "Els"}
        place = {"message_thread_id": found.thread, "is_topic_message": True, "chat": group, "date": 1}
        self.bot.telegram.say("callback_query", {
            "id": str(next(self.bot.telegram.numbers)), "from": els, "chat_instance": "1", "data": f"claim:{found.id}",
            "message": {"message_id": 1, **place},
        })  # fmt: skip
        self.quiet()
        words = f"antwoord {next(self.numbers)} einde"
        self.replies[words] = chat
        self.bot.telegram.say("message", {
            "message_id": next(self.bot.telegram.numbers), "from": els, "text": words, **place,
        })  # fmt: skip
        self.quiet()
        self.do(self.bot.move_clock(120))  # past the time to take it back
        self.quiet()

    @rule(chat=who, name=course)
    def signs_up(self, chat: int, name: str) -> None:
        def book(db: sa.Connection) -> None:
            person, now = self.person(db, chat), self.bot.app.clock.now()
            child, _ = participants.add_participant(db, person, "Kind", child=True, age=12, now=now)
            found = next(iter(programmes.upcoming(db, name, now)), None)
            if found is not None:
                reminders.book(db, person, [child.id], [found], city=self.bot.app.city, now=now)

        if chat not in self.bot.telegram.blocked:
            self.database(book)
            self.quiet()

    @rule(chat=who, name=course)
    def cancels(self, chat: int, name: str) -> None:
        def cancel(db: sa.Connection) -> None:
            now = self.bot.app.clock.now()
            mine = sessions.own(db, self.person(db, chat), now, programme_id=name)
            reminders.cancel(db, mine, "person", city=self.bot.app.city, now=now)

        self.database(cancel)
        self.quiet()

    @rule(name=course, days=st.integers(3, 12))
    def staff_move(self, name: str, days: int) -> None:
        def move(db: sa.Connection) -> None:
            now = self.bot.app.clock.now()
            found = next(iter(programmes.upcoming(db, name, now)), None)
            start = f"{now.astimezone(BASE.zone).date() + dt.timedelta(days=days)}T15:00"
            if found is not None:
                reminders.move_session(db, found, start, city=self.bot.app.city, now=now)
            else:
                about = programmes.get(db, name, demo=False)
                assert about is not None
                reminders.new_session(db, about, start, city=self.bot.app.city, now=now)

        self.database(move)
        self.quiet()

    @rule(hours=st.sampled_from([1, 5, 12, 24]))
    def time_passes(self, hours: int) -> None:
        before = self.bot.app.clock.now()
        owed = self.owed(before, before + dt.timedelta(hours=hours))
        seen = len(self.bot.telegram.arrived)
        self.do(self.bot.move_clock(hours * 3600))
        self.quiet()
        self.do(self.bot.move_clock(AGAIN.total_seconds()))
        self.quiet()
        told = Counter((one.chat, course) for one in self.bot.telegram.arrived[seen:] for course in COURSES
                       if "🔔" in one.text and course.capitalize() in one.text)  # fmt: skip
        missing = {one for one in owed if not told[one]}
        assert not missing, f"not reminded: {missing}; heard {dict(told)}"

    def owed(self, since: dt.datetime, until: dt.datetime) -> set[tuple[int, str]]:
        """Who must be reminded of what in this time: booked, not begun when the time is over, reachable."""
        def look(db: sa.Connection) -> set[tuple[int, str]]:
            found = set()
            for chat in CHATS:
                person = self.person(db, chat)
                for one in sessions.own(db, person, since):
                    start = one.session.starts_at
                    if one.state != "booked" or start <= until + AGAIN or chat in self.bot.telegram.blocked:
                        continue
                    dues = sa.select(tables.outbox.c.due_at).where(
                        tables.outbox.c.key.like(f"reminder:{person}:{one.session.id}:{one.session.version}:%"),
                        tables.outbox.c.state == "planned",
                    )
                    if any(since < due <= until for due in db.scalars(dues)):
                        found.add((chat, one.session.programme_id))
            return found

        return set(self.database(look))

    @rule(chat=who)
    def is_forgotten(self, chat: int) -> None:
        if chat in self.bot.telegram.blocked:
            return
        person = self.database(lambda db: self.person(db, chat))
        self.tap(chat, "erase:yes")
        self.write(chat, "/forget")
        self.quiet()
        gone = self.database(lambda db: people.get(db, person) is None)
        if not gone:
            return  # it asks first: `erase:yes` was no button of its message
        self.texts = {words: one for words, one in self.texts.items() if one != chat}
        self.replies = {words: one for words, one in self.replies.items() if one != chat}
        self.asked[chat] = 0
        self.do(self.arrive(chat))

    @rule(chat=who)
    def blocks(self, chat: int) -> None:
        self.bot.telegram.blocked.add(chat)

    @precondition(lambda self: self.bot.telegram.blocked)
    @rule()
    def return_(self) -> None:
        for chat in sorted(self.bot.telegram.blocked):
            self.bot.telegram.blocked.discard(chat)
            self.write(chat, "/start")
        self.quiet()

    # --- what goes wrong ----------------------------------------------------------------------------------------------

    @rule(name=st.sampled_from([one for one in failpoints.NAMES if one != "lease.taken"]), passes=st.integers(0, 2))
    def will_die(self, name: str, passes: int) -> None:
        self.bot.life.dies_at, self.bot.life.passes = name, passes

    @rule(fault=st.sampled_from(["not sent", "unknown"]))
    def send_goes_wrong(self, fault: str) -> None:
        self.bot.telegram.next_fault = fault

    # --- what must hold -----------------------------------------------------------------------------------------------

    @invariant()
    def seats_hold(self) -> None:
        def look(db: sa.Connection) -> None:
            for name in COURSES:
                for one in programmes.upcoming(db, name, self.bot.app.clock.now()):
                    taken = sessions.of_session(db, one.id, ("booked", "offered"))
                    waiting = sessions.of_session(db, one.id, ("waiting",))
                    everybody = Counter(booking.participant.id for booking in taken + waiting)
                    assert not everybody or max(everybody.values()) == 1, f"{name}: somebody twice"
                    assert len(taken) <= one.seats, f"{name}: {len(taken)} in {one.seats} seats"
                    assert len(taken) == one.taken, f"{name}: {len(taken)} have a seat, {one.taken} are counted"
                    sure = one.starts_at - self.bot.app.clock.now() > sessions.SURE_UNTIL
                    assert not (waiting and sure and len(taken) < one.seats), f"{name}: somebody waits for a free seat"

        self.database(look)

    @invariant()
    def every_text_stands_in_its_case_once(self) -> None:
        entries = self.database(
            lambda db: Counter(unseal(db, row.words_sealed) for row in db.execute(sa.select(tables.case_entry)))
        )
        wrong = {words: entries[words] for words in [*self.texts, *self.replies] if entries[words] != 1}
        assert not wrong, f"how often they stand there: {wrong}"
        parked = self.database(lambda db: list(db.scalars(
            sa.select(tables.inbox.c.fault).where(tables.inbox.c.state == "parked")
        )))  # fmt: skip
        assert not parked, f"handlers failed: {parked}"

    @invariant()
    def what_staff_wrote_arrives(self) -> None:
        heard = Counter(
            (one.chat, words) for one in self.bot.telegram.arrived for words in self.replies
            if f"{words}" in one.text and one.chat > 0
        )  # fmt: skip
        for words, chat in self.replies.items():
            assert all(other == chat for other, said in heard if said == words), f"{words!r} went to somebody else"

    def teardown(self) -> None:
        self.do(self.bot.settle())
        self.do(self.bot.stop())
        self.loop.close()
        self.folder.cleanup()


def bots_database(bot: Running) -> Any:
    from bot.parts import make_database

    return make_database(bot.settings)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # a dead process closes nothing
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_histories() -> None:
    print(f"WEGWIJS_SEED={SEED}")
    seed(SEED)(Histories)
    run_state_machine_as_test(Histories, settings=settings(
        max_examples=HISTORIES, stateful_step_count=STEPS, deadline=None, database=None,
        phases=[Phase.generate],  # a history is long: it is replayed by its seed, not made shorter for minutes
        suppress_health_check=list(HealthCheck), print_blob=True,
    ))  # fmt: skip
