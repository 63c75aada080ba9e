"""Wakes the work that time brings: repair, watch, expire; it must not remember anything (the rows are the truth).

A job of the scheduler only sets an event: its `shutdown` would cancel a coroutine half-way.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot import failpoints
from bot.clock import Clock
from bot.storage.database import Database, DatabaseBusyError

log = structlog.get_logger(__name__)

_BUSY_WAIT: Final = 1.0


@dataclass(frozen=True, slots=True)
class Job:
    """Work that is done every so often, in one transaction, with the time as an argument. Safe to do too often."""

    name: str
    every: dt.timedelta
    work: Callable[[sa.Connection, dt.datetime], Any]


class Tick:
    """Does each job at the start, then every so often, and all of them when the clock was moved."""

    def __init__(self, database: Database, clock: Clock, *, zone: ZoneInfo, ring: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._jobs: Sequence[Job] = ()
        self._zone = zone
        self._ring = ring
        self._events: dict[str, asyncio.Event] = {}
        self._begun = asyncio.Event()
        self._running = 0

    def begin(self, jobs: Sequence[Job]) -> None:
        """The jobs are known: `run` may begin."""
        self._jobs = jobs
        self._events = {job.name: asyncio.Event() for job in jobs}
        self.all()
        self._begun.set()

    @property
    def busy(self) -> bool:
        """Whether a job runs or is about to."""
        return self._running > 0 or any(event.is_set() for event in self._events.values())

    def all(self) -> None:
        """Do every job now."""
        for event in self._events.values():
            event.set()

    async def run(self) -> None:
        """Until cancelled; from `begin` on."""
        await self._begun.wait()
        scheduler = AsyncIOScheduler(
            timezone=self._zone, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        for job in self._jobs:
            scheduler.add_job(_set, "interval", [self._events[job.name]], seconds=job.every.total_seconds())
        scheduler.start()
        self.all()
        try:
            async with asyncio.TaskGroup() as group:
                for job in self._jobs:
                    group.create_task(self._keep_doing(job))
        finally:
            scheduler.shutdown(wait=False)

    async def _keep_doing(self, job: Job) -> None:
        event = self._events[job.name]
        while True:
            await event.wait()
            event.clear()
            self._running += 1
            try:
                await self._database.run(lambda db: self._work(db, job))
            except DatabaseBusyError:
                log.warning("database_busy", at=job.name)
                await asyncio.sleep(_BUSY_WAIT)
                event.set()
            except Exception as error:
                log.exception("tick_failed", job=job.name, error=type(error).__name__)
            finally:
                self._running -= 1
            self._ring()

    def _work(self, db: sa.Connection, job: Job) -> None:
        job.work(db, self._clock.now())
        failpoints.at("tick.storing")


async def _set(event: asyncio.Event) -> None:
    """A plain function would be run in a thread, from where an event wakes nobody."""
    event.set()
