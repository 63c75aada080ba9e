"""Takes updates in and makes each a turn: one update, one transaction; it must not know what is said.

Stored before it is acknowledged; done in the order of its lane; tried three times, then parked, and the lane goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa
import structlog

from bot import failpoints, inbox, metrics
from bot.channel import Incoming, Membership
from bot.clock import Clock, monotonic
from bot.flood import Flood, is_text
from bot.inbox import RawUpdate, Row
from bot.reading import Reading, is_long
from bot.storage.database import Database, DatabaseBusyError
from bot.turns import Turns
from bot.understanding import Look

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

AT_ONCE: Final = 64
"""Lanes whose turns are made at the same time."""

BESIDE: Final = 8
"""The same with a webhook: with more of them, what Telegram posts waits behind them for its 200."""

CAREFUL_FIRST: Final = 200
"""Updates after a start that are stored before their turn: one that kills the process must be counted."""

_BUSY_WAIT: Final = 0.5
_LANE_WAIT: Final = 0.05
_FLOOD_BATCH: Final = 100
_FLOOD_DANGERS: Final = 3  # texts of danger in one batch of a flood that each have their turn


@dataclass(frozen=True, slots=True)
class Edges:
    """What `receive` needs from others, as callables from `app`."""

    read: Callable[[str], Incoming]
    member: Callable[[int, int], Awaitable[Membership | None]]
    presence: Callable[[int, int | None, str], Coroutine[Any, Any, None]]
    ring: Callable[[], None]


class Receive:
    """The way in. `accept` stores, `run` makes turns."""

    def __init__(
        self, database: Database, clock: Clock, *, edges: Edges, flood: Flood, staff_chat: int | None
    ) -> None:
        self._database = database
        self._clock = clock
        self._turns: Turns
        self._edges = edges
        self._reading = Reading(database, clock, read=edges.read, member=edges.member, staff_chat=staff_chat)
        self._flood = flood
        self._lanes: set[str | bytes] = set()  # at work: as they came, or as they are stored
        self._beside = AT_ONCE
        self._rows: set[int] = set()
        self._suspects: set[int] = set()  # of them, those that were tried before
        self._bell = asyncio.Event()
        self._running = False
        self._stopping = False
        self._done = 0
        self._group: asyncio.TaskGroup | None = None

    # --- in -----------------------------------------------------------------------------------------------------------

    async def accept(self, updates: Sequence[RawUpdate], *, at_once: bool = False) -> None:
        """Take updates in; returns when every one of them is stored, or done.

        `at_once`: store an update and make its turn in one commit where nothing waits (polling: what is lost with
        the process comes again). Raises DatabaseBusyError when one is not stored: it must come again.
        """
        metrics.updates.labels("polling" if at_once else "webhook").inc(len(updates))
        ordered = sorted(updates, key=lambda one: one.update_id)
        if not at_once:
            self._beside = BESIDE
        if at_once and self._done >= CAREFUL_FIRST:
            for start in range(0, len(ordered), AT_ONCE):
                await self._take_in(ordered[start : start + AT_ONCE], at_once=True)
        else:
            await self._take_in(ordered, at_once=False)

    async def _take_in(self, ordered: Sequence[RawUpdate], *, at_once: bool) -> None:
        """A group of updates; the first failure ends it, and nothing behind what failed is taken in."""
        mine: set[str] = set()  # lanes that began here and are not yet handed on
        try:
            fast: list[RawUpdate] = []
            held: set[str] = set()  # lanes of which something waits: what is behind it may not begin
            for one in ordered:
                if at_once and one.lane not in held and self._begins(one, AT_ONCE, mine):
                    fast.append(one)
                else:
                    held.add(one.lane)
            now = self._clock.now()
            making = [(one, self._at_once(one, now)) for one in fast]
            if at_once:
                self._edges.ring()  # what waits for the writer now is claimed in the same commit
            _raise_first([await self._end_fast(update, now, future) for update, future in making])
            mine.clear()
            # Only now what is behind them in their lanes, each lane in one commit: it may not overtake.
            begun = {update.update_id for update in fast}
            lanes: dict[str, list[RawUpdate]] = {}
            for update in ordered:
                if update.update_id not in begun:
                    lanes.setdefault(update.lane, []).append(update)
            now = self._clock.now()
            storing = [
                (own[0], begins, self._database.submit(_storing(own, now, begin=begins)))
                for own in lanes.values()
                for begins in [self._begins(own[0], self._beside, mine)]
            ]
            failures = [await self._end_slow(one, future, mine, begun=begins) for one, begins, future in storing]
        finally:
            self._lanes -= mine
        failpoints.at("inbox.stored")
        _raise_first(failures)

    def _begins(self, update: RawUpdate, most: int, mine: set[str]) -> bool:
        """Whether the turn of an update begins at once; its lane is then at work, and one of `mine`."""
        begins = self._may_begin(update, most)
        if begins:
            self._lanes.add(update.lane)
            mine.add(update.lane)
        return begins

    def _may_begin(self, update: RawUpdate, most: int) -> bool:
        """Whether the turn of an update may begin at once: nobody is at its lane, and nothing has to be asked first."""
        incoming = update.incoming
        return (
            self._running and not self._stopping and incoming is not None and incoming.private
            and len(self._lanes) < most and update.lane not in self._lanes and not is_long(incoming)
            and not self._flood.is_over(incoming, monotonic())
        )  # fmt: skip

    def _at_once(self, update: RawUpdate, now: dt.datetime) -> asyncio.Future[Row | None]:
        incoming = update.incoming
        assert incoming is not None  # noqa: S101 (_may_begin)
        look = self._reading.look(incoming)

        def work(db: sa.Connection) -> Row | None:
            row = inbox.enter(db, update, now)
            if row is not None and row.done:
                self._turns.do(db, incoming, look, None)
                failpoints.at("turn.handled")
            return row

        self._spinner(incoming)
        return self._database.submit(work)

    async def _end_fast(
        self, update: RawUpdate, now: dt.datetime, future: asyncio.Future[Row | None]
    ) -> Exception | None:
        waits = True
        try:
            row = await future
        except DatabaseBusyError as error:
            return error
        except Exception as error:
            log.exception("turn_failed", tries=1, error=type(error).__name__)
            metrics.turns.labels("failed").inc()
            try:
                await self._database.run(_storing([update], now, begin=False))
            except DatabaseBusyError as busy:
                return busy
        else:
            failpoints.at("turn.committed")
            if row is not None and row.done:
                metrics.turns.labels("done").inc()
            waits = row is not None and not row.done
        finally:
            self._lanes.discard(update.lane)
            if waits:
                self._bell.set()
            if not self._database.in_order:  # or what was planned is claimed by now: `accept` rang after submitting
                self._edges.ring()
        return None

    async def _end_slow(
        self, update: RawUpdate, future: asyncio.Future[Row | None], mine: set[str], *, begun: bool
    ) -> Exception | None:
        failure, row = None, None
        try:
            row = await future
        except DatabaseBusyError as error:
            failure = error
        if begun and row is not None and row.tries > 0 and self._group is not None:
            self._rows.add(row.id)
            mine.discard(update.lane)
            self._group.create_task(self._one(row, update.lane))
            return None
        if begun:
            self._lanes.discard(update.lane)
            mine.discard(update.lane)
        self._bell.set()
        return failure

    # --- through ------------------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Start no more turns."""
        self._stopping = True
        self._bell.set()

    def wake(self) -> None:
        """Look whether something waits (another process may have stored it, or died)."""
        self._bell.set()

    async def run(self, turns: Turns, look: Callable[[str], Look], *, alone: bool) -> None:
        """Make turns until `stop`; returns when the last has ended. Until then what comes in is stored.

        `look` reads a text before its transaction is opened. `alone`: no other process works with this database, so
        whatever waits at the start is nobody's.
        """
        self._turns = turns
        self._reading.look_with(look)
        stale = self._clock.now() + dt.timedelta(days=1) if alone else None
        async with asyncio.TaskGroup() as self._group:
            self._running = True
            while not self._stopping:
                self._bell.clear()
                free, suspects = self._beside - len(self._rows), not self._suspects
                rows = await self._take(free, stale, suspects=suspects) if free > 0 else []
                if rows:
                    failpoints.at("inbox.taken")
                for row in rows or ():
                    self._rows.add(row.id)
                    if row.tries > 1:
                        self._suspects.add(row.id)
                    self._group.create_task(self._one(row, row.lane))
                if rows is not None and not rows:
                    if free > 0 and suspects:  # all were looked at: nothing of a dead process is left
                        stale = None
                    await self._rung()
            self._running = False

    def read_with(self, look: Callable[[str], Look]) -> None:
        """From now on texts are read with `look`."""
        self._reading.look_with(look)

    async def _rung(self) -> None:
        """Until something comes; now and then anyway: a turn may have been given up between its commit and its task."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(inbox.STALE.total_seconds()):
                await self._bell.wait()

    async def _take(self, free: int, stale: dt.datetime | None, *, suspects: bool) -> list[Row] | None:
        try:
            return await self._database.run(
                lambda db: inbox.take(
                    db, self._clock.now(), limit=free, busy=self._rows, stale=stale, suspects=suspects
                )
            )
        except DatabaseBusyError:
            log.warning("database_busy", at="take")
            await asyncio.sleep(_BUSY_WAIT)
            return None

    async def _one(self, row: Row, lane: str | bytes) -> None:
        """The turn of a stored update; tried again, and at last parked."""
        began = monotonic()
        try:
            if row.tries > inbox.DEATHS_MOST:
                await self._run(lambda db: self._turns.park(db, row, self._reading.update(row), "kills"))
                metrics.turns.labels("parked").inc()
            else:
                await self._turn(row, lane)
                metrics.turn_seconds.observe(monotonic() - began)
        except Exception as error:
            log.exception("turn_failed", update=row.id, tries=row.tries, error=type(error).__name__)
            metrics.turns.labels("failed").inc()
            fault = type(error).__name__
            if row.tries >= inbox.TRIES_MOST:
                metrics.turns.labels("parked").inc()
                await self._run(lambda db: self._turns.park(db, row, self._reading.update(row), fault))
            else:
                await self._run(lambda db: inbox.give_back(db, row.id))
        finally:
            self._rows.discard(row.id)
            self._suspects.discard(row.id)
            self._lanes.discard(lane)
            self._bell.set()
            self._edges.ring()

    async def _turn(self, row: Row, lane: str | bytes) -> None:
        incoming = self._reading.update(row)
        if incoming is None:
            metrics.turns.labels("parked").inc()
            await self._run(lambda db: inbox.park(db, row.id, "unreadable"))
            return
        if not isinstance(lane, str) and self._flood.is_over(incoming, monotonic()):
            await self._flooded(row, incoming)
            return
        self._spinner(incoming)
        member = await self._reading.member(incoming)
        look = await self._reading.looked(incoming)

        def turn(db: sa.Connection) -> bool:
            if not inbox.is_next(db, row):
                return not inbox.is_waiting(db, row.id)
            self._turns.do(db, incoming, look, member)
            inbox.done(db, row.id)
            failpoints.at("turn.handled")
            return True

        future = self._database.submit(turn)
        self._edges.ring()
        try:
            made = await future
        except DatabaseBusyError:
            made = await self._run(turn)
        failpoints.at("turn.committed")
        if made:
            self._done += 1
            metrics.turns.labels("done").inc()
        else:
            await self._later(row)

    async def _later(self, row: Row) -> None:
        """Another process is at this lane; its commit cannot be awaited from here."""
        await asyncio.sleep(_LANE_WAIT)
        await self._run(lambda db: inbox.not_begun(db, row.id))

    async def _flooded(self, row: Row, incoming: Incoming) -> None:
        """The rest of a flood is only searched for danger, many at once; those with danger in them are turns."""
        rows = await self._database.read(lambda db: inbox.waiting_of_lane(db, row.lane, _FLOOD_BATCH))
        read = [(one, self._reading.update(one)) for one in rows]
        texts = [(one, said, self._reading.look(said) if said else None) for one, said in read]

        def turn(db: sa.Connection) -> int:
            if not inbox.is_next(db, row):
                return 0
            done = dangers = 0
            for one, said, look in texts:
                if said is None or not is_text(said):
                    break  # a tap among them has its own turn
                if look is not None and look.dangers and dangers < _FLOOD_DANGERS:
                    self._turns.do(db, said, look, None)
                    dangers += 1
                inbox.done(db, one.id)
                done += 1
            self._turns.say_slowly(db, incoming)
            return done

        done = await self._run(turn)
        metrics.turns.labels("flood").inc(done or 0)
        if not done:
            await self._later(row)

    async def _run(self, work: Callable[[sa.Connection], Result]) -> Result:
        """A busy database is not the update's fault: the same turn is simply run again."""
        while True:
            try:
                return await self._database.run(work)
            except DatabaseBusyError:
                log.warning("database_busy", at="turn")
                await asyncio.sleep(_BUSY_WAIT)

    def _spinner(self, incoming: Incoming) -> None:
        """A tapped button stops turning; it may be lost."""
        if incoming.tap_id and self._group is not None:
            self._group.create_task(self._edges.presence(incoming.chat, incoming.thread, incoming.tap_id))


def _storing(updates: Sequence[RawUpdate], now: dt.datetime, *, begin: bool) -> Callable[[sa.Connection], Row | None]:
    """Store updates of one lane; the turn of the first may begin. Gives its row."""

    def work(db: sa.Connection) -> Row | None:
        rows = [inbox.arrive(db, update, now, begin=begin and update is updates[0]) for update in updates]
        failpoints.at("inbox.storing")
        return rows[0]

    return work


def _raise_first(failures: Sequence[Exception | None]) -> None:
    for failure in filter(None, failures):
        raise failure
