"""Telegram in trouble: nothing lost, nothing done twice, an unknown outcome costs at most one copy more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage import tables
from simulator import messages, people
from simulator.disorder import Disorder
from simulator.state import Json
from tests.faults import verdict
from tests.faults.rig import LONG, QUESTION, Combination, Rig, rig
from tests.faults.verdict import Verdict

COMBINATIONS = [Combination("aiogram", "polling", "sqlite", 1), Combination("ptb", "webhook", "sqlite", 1)]
AWAY = 60.0 if LONG else 4.0


@pytest.fixture(params=COMBINATIONS if LONG else COMBINATIONS[1:], ids=str)
def combination(request: pytest.FixtureRequest) -> Combination:
    found: Combination = request.param
    return found


def town_of(combination: Combination, folder: Path):
    return rig(folder, combination, f"sqlite:///{folder / 'town.db'}")


async def under_load(town: Rig, faults: list[Json], seconds: float = 3.0, rate: float = 40) -> Verdict:
    """Load while these faults last, then quiet."""
    await town.arrive(askers=6, writers=4)
    town.running.world.faults.add(faults)
    await loaded(town, seconds, rate)
    town.running.world.faults.waiting.clear()
    await town.settle()
    return verdict.judge(town)


async def loaded(town: Rig, seconds: float, rate: float = 40) -> None:
    enough = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(town.load(rate, enough))
        await asyncio.sleep(seconds)  # the load is a rate for a time
        enough.set()


def kept(found: Verdict) -> None:
    told = [*found.lost, *found.twice, *found.gone, *found.too_many, *found.disorder]
    assert not told, "\n".join(told)


UNKNOWN = ["drop_reply", "accept_502_json", "accept_502_html"]
NOT_SENT = ["502_json", "429:1", "reset"]


@pytest.mark.parametrize("kind", UNKNOWN)
async def test_accepted_but_not_said_so(kind: str, combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        found = await under_load(town, [{"method": "sendMessage", "fault": kind, "share": 0.2}])
        kept(found)
        given = sum(town.running.world.faults.given.values())
        assert given > 5, "the fault was never met"
        assert found.extra <= given, f"{found.extra} extra copies of {given} unknown outcomes"


@pytest.mark.parametrize("kind", NOT_SENT)
async def test_refused_before_any_effect(kind: str, combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        found = await under_load(town, [{"method": "sendMessage", "fault": kind, "share": 0.1}])
        kept(found)
        assert sum(town.running.world.faults.given.values()) > 0, "the fault was never met"
        assert found.extra == 0
        assert found.uncertain == 0 or not kind.startswith("429"), "429 says that nothing was sent"


async def test_headers_at_once_and_the_rest_later(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        found = await under_load(town, [{"method": "sendMessage", "fault": "slow_headers:1", "share": 0.2}])
        kept(found)
        assert found.extra == 0


async def test_updates_twice_and_out_of_order(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        await town.arrive(askers=6, writers=4)
        town.running.world.disorder = Disorder(share=0.3, window=4)
        await loaded(town, 3)
        town.running.world.disorder = Disorder()
        await town.settle()
        found = verdict.judge(town)
        kept(found)
        assert found.extra == 0


async def test_telegram_is_away(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        await town.arrive(askers=6, writers=4)
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(town.load(20, enough))
            await town.running.restart(AWAY)
            enough.set()
        await town.settle()
        found = verdict.judge(town)
        kept(found)
        assert found.extra <= 4, "at most what was in flight when the connections were cut"


async def test_who_blocked_us_hears_nothing_more_until_they_return(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        await town.arrive(askers=2, writers=1)
        world, who = town.running.world, town.askers[0]
        people.write(world, who, {"text": QUESTION})
        world.faults.add([{"method": "sendMessage", "fault": "403", "chat": who, "times": 1}])
        await town.settle()

        def unreachable() -> int:
            query = sa.select(sa.func.count()).where(tables.person.c.unreachable_at.is_not(None))
            return int(town.database.read_now(lambda db: db.scalar(query)) or 0)

        assert world.faults.given["sendmessage", "403"] == 1
        assert unreachable() == 1
        before = len(world.figures.accepts)
        assert world.faults.given.total() == 1, "tried again"
        people.write(world, who, {"text": "/start"})
        await town.settle()
        assert unreachable() == 0
        assert any(one.chat == who for one in world.figures.accepts[before:]), "not answered after the return"


async def test_the_staff_group_becomes_a_supergroup(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        await town.arrive(askers=2, writers=3)
        world = town.running.world
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(town.load(20, enough))
            before = len(world.figures.accepts)
            new = messages.migrate(world, world.state.chats[world.state.staff_id])
            while not any(one.chat == new for one in world.figures.accepts[before:]):
                await asyncio.sleep(0.02)
            enough.set()
        await town.settle()
        found = verdict.judge(town)
        assert not [*found.lost, *found.twice], "\n".join([*found.lost, *found.twice])


async def test_what_telegram_rejects_is_set_aside_alone(combination: Combination, tmp_path: Path) -> None:
    async with town_of(combination, tmp_path) as town:
        await town.arrive(askers=2, writers=1)
        world, who = town.running.world, town.askers[0]
        world.faults.add([{"method": "sendMessage", "fault": "400:Bad Request: odd", "chat": who, "times": 1}])
        for _ in range(2):
            people.write(world, who, {"text": QUESTION})
            await town.settle()
        states = town.database.read_now(
            lambda db: list(db.scalars(sa.select(tables.outbox.c.state).where(tables.outbox.c.kind == "answer")))
        )
        assert states.count("refused") == 1
        assert states[-1] == "sent"
