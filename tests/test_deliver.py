"""Deliveries leave once and in the end: whatever becomes of a commit, and when the bot stops in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

import handlers
from bot import departures, outbox
from bot.channel import Outgoing, Sent
from bot.clock import Clock
from bot.conversation import City
from bot.deliver import Deliver
from bot.message import say
from bot.office import Office
from bot.outcomes import Outcomes
from bot.pace import Pacer
from bot.storage import lease, tables
from bot.storage.database import Database
from bot.storage.held import Held
from bot.topics import Pack
from bot.writing import Writer

MANY = 10


class Way:
    """A real way out on a database; what leaves it is noted."""

    def __init__(self, database: Database, pack: Pack, zone: ZoneInfo) -> None:
        self.database = database
        self.clock = Clock()
        self.left: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        office = Office(zone, (), (), dt.timedelta(hours=4))
        city = City(pack=pack, office=office, staff=False, demo=False, bot_name="x")
        outcomes = Outcomes(city, None, {})
        writer = Writer(city, lambda key, _: key, handlers.RENDERERS, None, outcomes.end)
        self.deliver = Deliver(
            database, self.clock, send=self._send, writer=writer, outcomes=outcomes, pacer=Pacer(off=True)
        )

    async def _send(self, outgoing: Outgoing) -> Sent:
        await self.open.wait()
        self.left.append(outgoing.text)
        return Sent(len(self.left))

    def plan(self, count: int) -> None:
        now = self.clock.now()

        def work(db: sa.Connection) -> None:
            for number in range(count):
                outbox.plan(db, "answer", say(str(number)), now=now, to=f"chat:{number}")

        self.database.run_now(work)

    def states(self) -> list[str]:
        return self.database.read_now(lambda db: list(db.scalars(sa.select(tables.outbox.c.state))))

    async def run(self) -> None:
        number = await self.database.run(lease.take)
        assert number is not None
        await self.deliver.run(number, lambda: True)


@pytest.fixture
def way(database: Database, pack: Pack, zone: ZoneInfo) -> Way:
    return Way(database, pack, zone)


async def until_left(way: Way, count: int) -> None:
    async with asyncio.timeout(20):
        while len(way.left) < count or set(way.states()) != {"sent"}:
            await asyncio.sleep(0.01)


async def test_a_claim_whose_commit_was_not_confirmed_leaves_all_the_same(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = 0
    real_claim, real_begin = departures.claim, Held.begin

    def claim(*given: Any, **named: Any) -> set[int]:
        nonlocal claims
        claims += 1
        return real_claim(*given, **named)

    @contextlib.contextmanager
    def begin(self: Held) -> Iterator[sa.Connection]:
        before = claims
        with real_begin(self) as db:
            yield db
        if before == 0 < claims:
            raise sa.exc.OperationalError("COMMIT", None, Exception("the connection was lost after the commit"))

    monkeypatch.setattr(departures, "claim", claim)
    monkeypatch.setattr(Held, "begin", begin)
    way.plan(MANY)
    async with asyncio.TaskGroup() as group:
        group.create_task(way.run())
        await until_left(way, MANY)
        way.deliver.stop()
    assert sorted(way.left, key=int) == [str(number) for number in range(MANY)], "each once"


async def test_it_ends_as_soon_as_the_last_send_has_landed(way: Way) -> None:
    way.plan(1)
    way.open.clear()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(way.run())
        while way.states() != ["sending"]:
            await asyncio.sleep(0.01)
        way.deliver.stop()
        await asyncio.sleep(0.1)  # it rests until something lands
        way.open.set()
    assert way.states() == ["sent"]
