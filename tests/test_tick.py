"""What time brings is done in time, in an idle process too, and a job that fails is done again."""

from __future__ import annotations

import asyncio
import datetime as dt
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.storage.database import Database
from bot.tick import Job, Tick

SOON = dt.timedelta(seconds=0.05)


async def test_an_idle_process_is_woken_every_time(sqlite: Database) -> None:
    # In debug mode asyncio refuses what is called from another thread, which would wake nobody.
    asyncio.get_running_loop().set_debug(True)
    times, enough = [], asyncio.Event()

    def work(_db, now: dt.datetime) -> None:
        times.append(now)

    def ring() -> None:
        if len(times) >= 4:
            enough.set()

    tick = Tick(sqlite, Clock(), zone=ZoneInfo("Europe/Brussels"), ring=ring)
    tick.begin([Job("watch", SOON, work)])
    async with asyncio.TaskGroup() as group:
        running = group.create_task(tick.run())
        await asyncio.wait_for(enough.wait(), 20)
        running.cancel()
    assert times == sorted(times)


async def test_a_job_that_fails_is_done_again_and_stops_no_other(sqlite: Database) -> None:
    tried, done = [], asyncio.Event()

    def broken(_db, now: dt.datetime) -> None:
        tried.append(now)
        raise ValueError("as if a row were odd")

    def ring() -> None:
        if len(tried) >= 2:
            done.set()

    tick = Tick(sqlite, Clock(), zone=ZoneInfo("Europe/Brussels"), ring=ring)
    tick.begin([Job("broken", SOON, broken), Job("whole", SOON, lambda _db, _now: None)])
    async with asyncio.TaskGroup() as group:
        running = group.create_task(tick.run())
        await asyncio.wait_for(done.wait(), 20)
        running.cancel()
