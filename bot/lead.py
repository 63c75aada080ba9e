"""Leads while this process holds the lease: poll, tick, deliver; it must not know what they do.

One process leads at a time. The lease is renewed every three seconds and lasts ten; it is not trusted a moment longer
by this process's own monotonic clock, whatever the database would say.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from bot import failpoints
from bot.clock import monotonic
from bot.deliver import Deliver
from bot.storage import lease
from bot.storage.database import Database, DatabaseBusyError

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

_TRY_EVERY: Final = 1.0


class Lead:
    """Takes the lease, does what only one may do, and gives it back."""

    def __init__(self, database: Database, *, edges: list[Callable[[], Awaitable[None]]]) -> None:
        """`edges` run while this process leads, until cancelled; delivery from `begin` on."""
        self._database = database
        self._edges = edges
        self._until = 0.0
        self._deliver: Deliver | None = None
        self._begun = asyncio.Event()
        self.leads = False
        self._stop = asyncio.Event()
        self._drain = asyncio.Event()

    def begin(self, deliver: Deliver) -> None:
        """What delivers is made: it may begin."""
        self._deliver = deliver
        self._begun.set()

    def stop(self) -> None:
        """End the edges; what is to be delivered goes on until `drain`."""
        self._stop.set()

    def drain(self) -> None:
        """Every turn is made: deliver what is in flight, and no more."""
        self._drain.set()
        self._begun.set()
        if self._deliver is not None:
            self._deliver.stop()

    def holds(self) -> bool:
        """Whether the lease can still be trusted."""
        return monotonic() < self._until

    async def run(self) -> None:
        """Until `stop` and `drain`."""
        while not self._stop.is_set():
            asked = monotonic()
            number = await self._try(lease.take)
            if number is None:
                await _either(self._stop, _TRY_EVERY)
                continue
            failpoints.at("lease.taken")
            self._until = asked + lease.LASTS if not self._database.sqlite else float("inf")
            self.leads = True
            log.info("leads", lease=number)
            try:
                await self._while_leading(number)
            finally:
                self.leads = False
            await self._try(functools.partial(lease.release, number=number))
            log.info("leads_no_more", lease=number)

    async def _while_leading(self, number: int) -> None:
        async with asyncio.TaskGroup() as group:
            edges = [group.create_task(_awaited(edge)) for edge in self._edges]
            delivering = group.create_task(self._send(number))
            renewing = group.create_task(self._renew(number))
            stopped = group.create_task(self._stop.wait())
            await asyncio.wait({renewing, stopped, delivering}, return_when=asyncio.FIRST_COMPLETED)
            for edge in (*edges, stopped):
                edge.cancel()
            if self._stop.is_set():
                await self._drain.wait()
            if self._deliver is not None:
                self._deliver.stop()
            self._begun.set()
            await delivering
            renewing.cancel()

    async def _send(self, number: int) -> None:
        await self._begun.wait()
        if self._deliver is not None and not self._drain.is_set():
            await self._deliver.run(number, self.holds)

    async def _renew(self, number: int) -> None:
        """Returns when the lease is lost."""
        if self._database.sqlite:
            await asyncio.Event().wait()
        while True:
            await asyncio.sleep(lease.RENEW_EVERY)
            while True:
                asked = monotonic()
                renewed = await self._try(lambda db: lease.renew(db, number))
                if renewed:
                    self._until = asked + lease.LASTS
                    break
                if renewed is False or not self.holds():
                    log.warning("lease_lost", lease=number)
                    self._until = 0.0
                    return
                await asyncio.sleep(_TRY_EVERY)

    async def _try(self, work: Callable[..., Result]) -> Result | None:
        """None when the database does not answer now."""
        try:
            return await self._database.run(work)
        except DatabaseBusyError:
            log.warning("database_busy", at="lease")
            return None


async def _awaited(edge: Callable[[], Awaitable[None]]) -> None:
    await edge()


async def _either(event: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):  # `wait_for` may swallow a cancellation
            await event.wait()
