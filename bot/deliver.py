"""Brings planned messages to the channel: claim, write, pace, send, store the outcome; it must not decide what is said.

Claim and attempt are one commit, before the bytes leave, under the number of this process's lease. Outcomes that have
come are stored in the same commit as the next claims. At most one extra copy, only after a crash or a lost reply:
Telegram has no idempotency key (docs/decisions/0005-delivery.md).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
import structlog

from bot import departures, failpoints, metrics
from bot.channel import ChannelError, Outgoing, Sent, ThrottledError, UnknownOutcomeError
from bot.clock import Clock, monotonic
from bot.departures import Delivery, Due
from bot.message import Message
from bot.outcomes import Outcomes
from bot.pace import Pacer
from bot.storage import lease
from bot.storage.database import Database, DatabaseBusyError
from bot.writing import Writer

log = structlog.get_logger(__name__)

IN_FLIGHT_MOST: Final = 4
_LOOK_AGAIN: Final = 5.0
_SLEEP_MOST: Final = 60.0
_BUSY_WAIT: Final = 0.5
_TOGETHER: Final = 2  # outcomes in one commit, when others are on their way
_MOMENT: Final = 0.003
_LOOKED_AT: Final = 8  # rows at a time: each costs, and few of them are not claimed
_NOT_COUNTED: Final = frozenset(
    {"edit", "buttons", "delete", "topic_create", "topic_edit", "topic_close", "topic_reopen", "topic_delete", "react"}
)
"""What is no message in a chat for Telegram's limits."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A send that may leave: usually one delivery, several when texts for a topic are joined."""

    deliveries: tuple[Delivery, ...]
    outgoing: Outgoing


@dataclass(frozen=True, slots=True)
class _Ended:
    deliveries: tuple[Delivery, ...]
    sent: Sent | ChannelError


@dataclass(frozen=True, slots=True)
class _Step:
    """What one commit gave: what may leave, how long to wait for more, and whether the lease still holds."""

    claimed: tuple[Claimed, ...]
    wait: float
    leads: bool = True


@dataclass(frozen=True, slots=True)
class _Begun:
    """A commit that was submitted; `future` None: there was nothing to do for `pause` seconds."""

    ended: list[_Ended]
    pause: float
    future: asyncio.Future[_Step] | None


class Deliver:
    """The one place from which messages leave. `ring` is called by everything that may have planned something."""

    def __init__(
        self, database: Database, clock: Clock, *, send: Callable[[Outgoing], Awaitable[Sent]], writer: Writer,
        outcomes: Outcomes, pacer: Pacer,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._send_out = send
        self._writer = writer
        self._outcomes = outcomes
        self._pacer = pacer
        self._lease = 0
        self._holds: Callable[[], bool] = lambda: True
        self._busy: set[str] = set()
        self._ended: list[_Ended] = []
        self._careful = False
        self._unsure = False  # whether claims may have been committed that we were not told of
        self._bell = asyncio.Event()  # something happened since the last step was begun
        self._awake = asyncio.Event()
        self._resting = False
        self._moment: asyncio.TimerHandle | None = None
        self._begun: _Begun | None = None
        self.stopping = False
        self.on_rest: Callable[[], None] = lambda: None  # nothing is due now

    async def run(self, number: int, holds: Callable[[], bool]) -> None:
        """Deliver under the lease `number` until `stop`; returns when nothing is in flight any more.

        `holds` says without a database whether the lease may still be trusted: asked before every send.
        """
        self._lease, self._holds, self.stopping = number, holds, False
        await self._store(lambda db: lease.holds(db, number) and self._outcomes.recover(db, self._clock.now()))
        async with asyncio.TaskGroup() as flight:
            while not self.stopping or self._busy or self._ended or self._begun:
                begun, self._begun = self._begun or self._begin(), None
                step = await self._step(begun)
                for claimed in step.claimed:
                    flight.create_task(self._fly(claimed))
                if not step.leads:
                    self.stopping = True
                if step.wait > 0 and not self._ended and (self._busy or not self.stopping):
                    await self._wait(step.wait)

    def ring(self) -> None:
        """Something may have been planned, or the clock was moved.

        Who rests begins at once, in the caller's own turn of the event loop: what was submitted just before and the
        claim of what it plans are then done in one commit.
        """
        if self._resting:
            self._resting = False
            self._begun = self._begin()
            self._awake.set()
        else:
            self._bell.set()

    def _landed(self) -> None:
        """A send has ended. Two outcomes are stored in one commit when the second comes in a moment."""
        if not self._busy or len(self._ended) >= _TOGETHER:
            self.ring()
        elif self._ended and self._moment is None:
            self._moment = asyncio.get_running_loop().call_later(_MOMENT, self.ring)

    def stop(self) -> None:
        """Claim nothing more."""
        self.stopping = True
        self._awake.set()
        self._bell.set()

    async def _wait(self, seconds: float) -> None:
        if not self._busy:
            self.on_rest()
        if self._bell.is_set():
            return
        self._awake.clear()
        self._resting = True
        waking = asyncio.get_running_loop().call_later(max(0.001, seconds), self._awake.set)
        try:
            await self._awake.wait()
        finally:
            self._resting = False
            waking.cancel()

    def _begin(self) -> _Begun:
        """Submit one commit: store what has ended, claim what may leave; nothing when there is nothing to do."""
        if self._moment is not None:
            self._moment.cancel()
            self._moment = None
        self._bell.clear()
        ended, self._ended = self._ended, []
        mono = monotonic()
        pause = self._pacer.wait(mono)
        free = 0 if self.stopping or pause > 0 else IN_FLIGHT_MOST - len(self._busy)
        if not ended and free <= 0:
            return _Begun([], pause if pause > 0 and not self.stopping else _SLEEP_MOST, None)
        if not self._pacer.off:
            free = min(free, 1)
        busy, runs, unsure = frozenset(self._busy), itertools.count(1), self._unsure
        self._unsure = False

        def work(db: sa.Connection) -> _Step:
            again = next(runs) > 1
            self._unsure |= again  # the first may still be on its way to the disk
            return self._settle_and_claim(db, ended, free, busy, mono, unsure=unsure or again)

        return _Begun(ended, pause, self._database.submit(work))

    async def _step(self, begun: _Begun) -> _Step:
        """What came of it; what is claimed is on its way from now on."""
        ended, pause = begun.ended, begun.pause
        if begun.future is None:
            return _Step((), pause)
        try:
            step = await begun.future
        except DatabaseBusyError:
            log.warning("database_busy", at="deliver")
            self._unsure = True
            self._ended = ended + self._ended
            await asyncio.sleep(_BUSY_WAIT)
            return _Step((), _BUSY_WAIT)
        except Exception as error:
            log.exception("deliver_failed", error=type(error).__name__)
            self._unsure = True
            await self._one_by_one(ended)
            self._careful = True  # a message that cannot be written is set aside by itself
            return _Step((), 0.0)
        self._careful = False
        if ended:
            failpoints.at("outcome.stored")
        for claimed in step.claimed:
            first = claimed.deliveries[0]
            self._busy.add(first.lane)
            counts = claimed.outgoing.action not in _NOT_COUNTED
            self._pacer.took(first.lane, first.priority, monotonic(), message=counts)
        return step if pause <= 0 else _Step(step.claimed, pause, step.leads)

    def _settle_and_claim(
        self, db: sa.Connection, ended: list[_Ended], free: int, busy: Collection[str], mono: float,
        *, unsure: bool = False,
    ) -> _Step:  # fmt: skip
        """`unsure`: the same was begun before, and nobody knows whether it was committed."""
        now = self._clock.now()
        if not lease.holds(db, self._lease):
            return _Step((), 0.0, leads=False)
        arrived: dict[int, int] = {}
        for one in ended:
            for delivery in one.deliveries:
                if isinstance(one.sent, Sent) and delivery.after is None:
                    arrived[delivery.id] = one.sent.message_id
                elif departures.is_ours(db, delivery.id, self._lease):
                    self._outcomes.settle(db, delivery, one.sent, now)
        if arrived:
            departures.mark_sent(db, arrived, self._lease, now)
        if unsure:
            departures.take_back(db, self._lease, busy)
        if ended:
            failpoints.at("outcome.storing")
        if free <= 0:
            return _Step((), _SLEEP_MOST)
        step = self._claim(db, now, free, set(busy), mono)
        if step.claimed:
            failpoints.at("outbox.claiming")
        return step

    def _claim(self, db: sa.Connection, now: dt.datetime, free: int, lanes: set[str], mono: float) -> _Step:
        """Check the world, find the words, mark the attempt.

        A lane that must wait (its topic is not made yet, its chat had a message just now) is left out, however many
        rows it has: it holds nobody else. `lanes`: where something is on its way.
        """
        blocked = {} if self._pacer.off else self._pacer.blocked(mono)
        waits = [max(0.0, until - mono) for until in blocked.values()]
        lanes |= blocked.keys()
        claimed: list[Claimed] = []
        while len(claimed) < free:
            found = departures.find_due(db, now, without=lanes, limit=_LOOKED_AT)
            if not found:
                break
            for due in found:
                if due.lane in lanes or len(claimed) >= free:
                    continue
                delivery = self._open(db, due, now)
                if delivery is None:
                    continue
                free_of_pace = isinstance(delivery.content, Message) and delivery.content.action in _NOT_COUNTED
                wait = 0.0 if free_of_pace else self._pacer.chat_wait(due.lane, due.priority, mono)
                if wait <= 0 and self._writer.has_no_topic(db, delivery):
                    # Planned anew after what waits for it, it stands behind it in the lane.
                    maker = self._writer.topic_maker(db, delivery, now)
                    wait, delivery = (_LOOK_AGAIN, delivery) if maker is None else (0.0, maker)
                if wait > 0:
                    lanes.add(due.lane)
                    waits.append(wait)
                    continue
                one = self._prepare(db, delivery, now)
                if one is not None:
                    lanes.add(due.lane)
                    claimed.append(one)
            if len(found) < _LOOKED_AT:
                break  # that was all
        wait = 0.0 if len(claimed) >= free else self._until_next(db, now, waits)
        return _Step(self._marked(db, claimed, now), wait)

    def _marked(self, db: sa.Connection, claimed: list[Claimed], now: dt.datetime) -> tuple[Claimed, ...]:
        """The attempts are written; what is no longer to be sent falls away."""
        if not claimed:
            return ()
        ours = departures.claim(db, [delivery.id for one in claimed for delivery in one.deliveries], now, self._lease)
        left = (
            Claimed(tuple(delivery for delivery in one.deliveries if delivery.id in ours), one.outgoing)
            for one in claimed
        )
        return tuple(one for one in left if one.deliveries)

    @staticmethod
    def _until_next(db: sa.Connection, now: dt.datetime, waits: list[float]) -> float:
        due = departures.next_after(db, now)
        return min([_SLEEP_MOST, *waits, *([] if due is None else [(due - now).total_seconds()])])

    def _open(self, db: sa.Connection, due: Due, now: dt.datetime) -> Delivery | None:
        try:
            return departures.open_due(db, due)
        except Exception as error:
            log.exception("delivery_unreadable", delivery=due.id, kind=due.kind, error=type(error).__name__)
            departures.finish(db, due.id, "refused", now=now, fault=type(error).__name__)
            return None

    def _prepare(self, db: sa.Connection, delivery: Delivery, now: dt.datetime) -> Claimed | None:
        if self._careful:
            try:
                with db.begin_nested():
                    outgoing = self._writer.prepare(db, delivery, now)
            except Exception as error:
                log.exception("delivery_unwritable", delivery=delivery.id, kind=delivery.kind)
                metrics.deliveries.labels(delivery.kind, "unwritable").inc()
                departures.finish(db, delivery.id, "refused", now=now, fault=type(error).__name__)
                return None
        else:
            outgoing = self._writer.prepare(db, delivery, now)
        if outgoing is None:
            return None
        deliveries, outgoing = self._writer.join(db, delivery, outgoing, now)
        return Claimed(tuple(deliveries), outgoing)

    async def _fly(self, claimed: Claimed) -> None:
        """One send, from the first byte to its outcome."""
        first = claimed.deliveries[0]
        try:
            failpoints.at("send.before")
            if not self._holds():
                return  # who leads now treats it as lost on the way
            sent: Sent | ChannelError
            try:
                sent = await self._send_out(claimed.outgoing)
            except ChannelError as error:
                sent = error
            except Exception as error:
                log.exception("send_failed", delivery=first.id, kind=first.kind, error=type(error).__name__)
                sent = UnknownOutcomeError(type(error).__name__)
            failpoints.at("send.after")
            if isinstance(sent, ThrottledError):
                self._pacer.pause(sent.retry_after, monotonic())
            if isinstance(sent, ChannelError):
                log.info("not_sent", delivery=first.id, kind=first.kind, fault=type(sent).__name__)
            metrics.deliveries.labels(first.kind, metrics.outcome(sent)).inc(len(claimed.deliveries))
            self._ended.append(_Ended(claimed.deliveries, sent))
        finally:
            self._busy.discard(first.lane)
            asyncio.get_running_loop().call_soon(self._landed)

    async def _one_by_one(self, ended: list[_Ended]) -> None:
        """Each outcome in a commit of its own; one whose effect fails is stored without it."""
        for one in ended:
            try:
                await self._store(lambda db, one=one: self._settle_and_claim(db, [one], 0, (), 0.0))  # type: ignore[misc]
            except Exception as error:
                log.exception("outcome_failed", delivery=one.deliveries[0].id, error=type(error).__name__)
                await self._store(lambda db, one=one: self._finish_bare(db, one))  # type: ignore[misc]

    def _finish_bare(self, db: sa.Connection, one: _Ended) -> None:
        state = "sent" if isinstance(one.sent, Sent) else "refused"
        for delivery in one.deliveries:
            departures.finish(db, delivery.id, state, now=self._clock.now(), fault="effect failed")

    async def _store(self, work: Callable[[sa.Connection], object]) -> None:
        """Outcomes are stored, however long the database is away: otherwise a message would go twice."""
        while True:
            try:
                await self._database.run(work)
            except DatabaseBusyError:
                log.warning("database_busy", at="outcome")
                await asyncio.sleep(_BUSY_WAIT)
            else:
                return
