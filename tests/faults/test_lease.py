"""One of several processes leads: when it dies or sleeps another goes on within 15 s, and it sends nothing more."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage import lease, tables
from simulator import people
from tests.faults import verdict
from tests.faults.rig import QUESTION, Bot, Combination, Rig, gone, rig
from tests.stores import postgres_database

THREE = Combination("ptb", "webhook", "postgresql", 3)
REAL = (lease.LASTS, lease.RENEW_EVERY)
FAILOVER = 15.0


@pytest.fixture
def store_url(postgres: str) -> Iterator[str]:
    with postgres_database(postgres) as address:
        yield address


def held_by(town: Rig) -> tuple[int, Bot]:
    """The number of the lease, and the process that says last that it leads with it."""
    number = town.database.read_now(lambda db: db.scalar(sa.select(tables.lease.c.number)))
    for bot in town.bots:
        told = (town.folder / f"bot{bot.number}.log").read_text(encoding="utf-8")
        if f'"lease": {number}, "event": "leads"' in told:
            return int(number or 0), bot
    raise AssertionError(f"nobody says that it leads with lease {number}")


async def seconds_to_an_answer(town: Rig) -> float:
    """A question is asked now; how long until its answer is accepted."""
    accepts = town.running.world.figures.accepts
    seen, who = len(accepts), town.askers[0]
    town.asked[who] = town.asked.get(who, 0) + 1
    people.write(town.running.world, who, {"text": QUESTION})
    asked = time.monotonic()
    await town.settle()
    found = [one for one in accepts[seen:] if one.chat == who]
    assert found, "the answer never left"
    return found[0].mono - asked


async def test_another_goes_on_when_the_leader_dies(store_url: str, tmp_path: Path) -> None:
    async with rig(tmp_path, THREE, store_url, lease=REAL) as town:
        await town.arrive(askers=2, writers=1)
        _, leader = held_by(town)
        await town.kill(leader)
        town.kills += 1
        waited = await seconds_to_an_answer(town)
        assert waited <= FAILOVER, f"{waited:.1f} s without anybody who sends; at most {FAILOVER:.0f} s"
        found = verdict.judge(town)
        assert not found.faults, "\n".join(found.faults)


async def test_a_leader_that_slept_sends_nothing_more(store_url: str, tmp_path: Path) -> None:
    async with rig(tmp_path, THREE, store_url, lease=(2.0, 0.5)) as town:
        await town.arrive(askers=2, writers=1)
        number, leader = held_by(town)
        os.kill(leader.pid, signal.SIGSTOP)
        town.balance(leader)
        try:
            assert await seconds_to_an_answer(town) <= FAILOVER
            later, other = held_by(town)
        finally:
            os.kill(leader.pid, signal.SIGCONT)
            town.balance()
        assert later > number
        assert other.number != leader.number
        for _ in range(3):
            await seconds_to_an_answer(town)
        found = verdict.judge(town)
        assert not found.faults, "\n".join(found.faults)
        assert found.extra == 0, "who slept has sent what another had taken over"


async def test_who_ends_in_good_order_gives_the_lease_back(store_url: str, tmp_path: Path) -> None:
    async with rig(tmp_path, THREE, store_url, lease=REAL) as town:
        await town.arrive(askers=2, writers=1)
        _, leader = held_by(town)
        os.kill(leader.pid, signal.SIGTERM)
        assert await gone(leader.pid, 20)
        assert await seconds_to_an_answer(town) <= lease.RENEW_EVERY, "the next one waited for the lease to run out"
        found = verdict.judge(town)
        assert not found.faults, "\n".join(found.faults)
        assert found.extra == 0
