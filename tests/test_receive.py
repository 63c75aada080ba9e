"""What is taken in is done once and in its order, also when the database cannot take it for a while."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import sqlite3
import time
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from bot import inbox, receive
from bot.clock import Clock
from bot.conversation import City, Reply, Turn
from bot.flood import Flood
from bot.inbox import RawUpdate
from bot.office import Office
from bot.receive import Edges, Receive
from bot.storage import tables
from bot.storage.database import Database, DatabaseBusyError
from bot.telegram.updates import raw_update, read_stored
from bot.topics import Pack
from bot.turns import Turns

CHAT = 5001


def text(number: int, chat: int = CHAT, *, long: bool = False) -> RawUpdate:
    """An update of somebody who writes its number; a long text is read in a thread."""
    somebody = {"id": chat, "is_bot": False, "first_name": "A"}
    message = {"message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "from": somebody}
    return raw_update(
        {"update_id": number, "message": {**message, "text": str(number) + (" verhaal" * 100 if long else "")}}
    )


async def nobody(*_: object) -> None:
    return None


class Way:
    """A real way in on a database; the handler notes what was said."""

    def __init__(self, database: Database, pack: Pack, zone: ZoneInfo) -> None:
        self.said: list[str] = []
        self.database, self.flood = database, Flood()
        edges = Edges(read=read_stored, member=nobody, presence=nobody, ring=lambda: None)
        self.receive = Receive(database, Clock(), edges=edges, flood=self.flood, staff_chat=None)
        office = Office(zone, (), (), dt.timedelta(hours=4))
        city = City(pack=pack, office=office, staff=False, demo=False, bot_name="x")
        self.turns = Turns(Clock(), city, self._handle, None, after=lambda _: None)

    def _handle(self, turn: Turn) -> Reply:
        self.said.append(turn.said)
        return Reply()

    async def run(self) -> None:
        await self.receive.run(self.turns, lambda _: None, alone=True)  # type: ignore[arg-type, return-value]

    def stored(self) -> dict[int, str]:
        rows = self.database.read_now(lambda db: db.execute(sa.select(tables.inbox)).all())
        return {row.update_id: row.state for row in rows}


@pytest.fixture
def way(sqlite: Database, pack: Pack, zone: ZoneInfo, monkeypatch: pytest.MonkeyPatch) -> Way:
    monkeypatch.setattr(receive, "CAREFUL_FIRST", 0)
    monkeypatch.setattr("bot.storage.database.BUSY_TIMEOUT_MS", 10)
    return Way(sqlite, pack, zone)


async def all_done(way: Way, numbers: set[int]) -> None:
    async with asyncio.timeout(10):
        while way.stored() != dict.fromkeys(numbers, "done"):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("step", ["enter", "arrive"])
async def test_nothing_overtakes_what_could_not_be_stored(way: Way, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """`enter`: the first of a chat could not be done; `arrive`: what stands behind it could not be stored."""
    real: Callable[..., Any] = getattr(inbox, step)
    away = True

    def or_not(db: sa.Connection, update: RawUpdate, *given: Any, **named: Any) -> Any:
        if away and update.update_id == (1 if step == "enter" else 2):
            raise sqlite3.OperationalError("database is locked")
        return real(db, update, *given, **named)

    monkeypatch.setattr(inbox, step, or_not)
    batch = [text(1), text(2), text(3), text(4, chat=CHAT + 1)]
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(way.run())
        await asyncio.sleep(0)
        with pytest.raises(DatabaseBusyError):
            await way.receive.accept(batch, at_once=True)
        assert not {2, 3} & way.stored().keys(), "stored although what is before it is not"
        away = False
        await way.receive.accept(batch, at_once=True)  # it comes again
        await all_done(way, {1, 2, 3, 4})
        way.receive.stop()
    assert [one for one in way.said if one != "4"] == ["1", "2", "3"]
    assert way.said.count("4") == 1


async def test_what_is_behind_a_long_text_waits_for_it(way: Way) -> None:
    batch = [text(1, long=True), text(2), text(3, chat=CHAT + 1)]
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(way.run())
        await asyncio.sleep(0)
        await way.receive.accept(batch, at_once=True)
        await all_done(way, {1, 2, 3})
        way.receive.stop()
    assert [one.split()[0] for one in way.said if one != "3"] == ["1", "2"]


async def test_a_text_that_could_not_be_stored_for_long_is_no_flood(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    real, away = inbox.enter, True

    def or_not(db: sa.Connection, *given: Any) -> Any:
        if away:
            raise sqlite3.OperationalError("database or disk is full")
        return real(db, *given)

    monkeypatch.setattr(inbox, "enter", or_not)
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(way.run())
        await asyncio.sleep(0)
        for _ in range(30):
            with pytest.raises(DatabaseBusyError):
                await way.receive.accept([text(1)], at_once=True)
        away = False
        await way.receive.accept([text(1)], at_once=True)
        await all_done(way, {1})
        way.receive.stop()
    assert way.said == ["1"]


async def test_all_that_a_dead_process_had_at_work_is_taken_up(way: Way) -> None:
    """One after the other, whoever is done first: the look for more, or the turn of the one before."""
    now, most = Clock().now(), 12

    def left_behind(db: sa.Connection) -> None:
        for number in range(1, most + 1):
            assert inbox.arrive(db, text(number, chat=CHAT + number), now, begin=True)

    way.database.run_now(left_behind)
    loop = asyncio.get_running_loop()

    def stirring(turn: Turn) -> Reply:
        loop.call_soon_threadsafe(way.receive.wake)
        time.sleep(0.02)  # in the writer's thread: the look for more stands behind this turn
        return way._handle(turn)

    way.turns = dataclasses.replace(way.turns, handle=stirring)
    async with asyncio.timeout(inbox.STALE.total_seconds() - 1), asyncio.TaskGroup() as group:
        group.create_task(way.run())
        await all_done(way, set(range(1, most + 1)))
        way.receive.stop()
    assert sorted(way.said, key=int) == [str(number) for number in range(1, most + 1)]
