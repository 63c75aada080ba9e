"""Plugs everything together and runs it; it must decide nothing about what is said.

Read `App` from top to bottom: what it makes, in which order it starts, how it stops.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import sqlalchemy as sa
import structlog

import handlers
from bot import case_topics, demo_clock, erasure, failpoints, introduction, programmes, staff_answers, web
from bot.catalogs import Catalogs
from bot.channel import Description, StopPollingError
from bot.clock import Clock, monotonic
from bot.conversation import City
from bot.deliver import Deliver
from bot.flood import Flood
from bot.health import Health
from bot.inbox import RawUpdate
from bot.jobs import jobs
from bot.lead import Lead
from bot.learning import learn_anew
from bot.outcomes import Outcomes
from bot.pace import Pacer
from bot.parts import (
    Engine,
    Titles,
    make_database,
    make_engine,
    make_look_up,
    make_office,
    only_one,
    read_content,
)
from bot.process import check_tables, signals
from bot.receive import Edges, Receive
from bot.settings import Settings, SettingsError
from bot.storage import bells, migrate
from bot.storage.database import DatabaseBusyError
from bot.telegram.updates import read_posted, read_stored
from bot.tick import Tick
from bot.topics import Pack
from bot.turns import Turns
from bot.understanding import Understanding
from bot.writing import Writer

log = structlog.get_logger(__name__)

_RETRY: Final = 0.5
_LOOK_EVERY: Final = 1.0
_STOP_WITHIN: Final = 18.0
"""Seconds for what is being done to end, after SIGTERM; then the process ends as if it had crashed."""

Content = tuple[Pack, Understanding, Catalogs]

AFTERS: Final = {**case_topics.AFTERS, **staff_answers.AFTERS, **erasure.AFTERS}
"""What follows from the outcome of a delivery, by the name that was planned."""


class App:
    """One running bot. `serve` runs it until `stop`."""

    def __init__(
        self, settings: Settings, *, webhook: bool = False, demo: bool = False, clock_from: str = "",
        engine: Engine | None = None,
    ) -> None:  # fmt: skip
        self.settings = settings
        self.webhook = webhook
        self.demo = demo
        self.clock = Clock()
        self.clock_from = clock_from
        self.database = make_database(settings)
        self.health = Health(self.database, self.clock, stopping=self.stopping, polls=not webhook)
        self._given_engine = engine
        self._stop = asyncio.Event()
        self._failure: StopPollingError | None = None
        self.ready = asyncio.Event()
        self.on_rest: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """End in good order: no new turns, what is in flight ends, then the database closes."""
        self._stop.set()

    def stopping(self) -> bool:
        """Whether nothing more is taken in."""
        return self._stop.is_set()

    async def serve(self) -> None:
        """Run. Raises SettingsError or PackError (what to mend), or StopPollingError."""
        if self.settings.failpoint:
            failpoints.arm_from(self.settings.failpoint)
        try:
            with only_one(self.settings.database_url):
                await self._serve()
        finally:
            await asyncio.to_thread(self.database.close)
        if self._failure is not None:
            raise self._failure

    async def _serve(self) -> None:
        if self.demo:
            await self.database.run(migrate.upgrade)
        else:
            await check_tables(self.database)
        engine = self._given_engine
        if engine is None:
            engine = await asyncio.to_thread(make_engine, self.settings)
        if self.clock_from:
            await demo_clock.follow_once(self.clock, self.clock_from)
        try:
            with signals(asyncio.get_running_loop(), self.stop):
                # The content is read while Telegram is asked who we are: the first poll does not wait for it.
                async with asyncio.TaskGroup() as group:
                    reading = group.create_task(asyncio.to_thread(read_content, self.settings))
                    serving = group.create_task(self._run(engine, reading))
                    del serving
        except* StopPollingError as stopped:
            raise stopped.exceptions[0] from None
        finally:
            await engine.close()

    # --- in order -----------------------------------------------------------------------------------------------------

    async def _run(self, engine: Engine, reading: asyncio.Task[Content]) -> None:
        staff = await introduction.meet_telegram(
            engine, self.database, self.clock, staff_chat=self.settings.staff_chat_id, stop=self._stop
        )
        if staff is None:
            reading.cancel()
            return
        self.health.staff = staff
        staff_chat = self.settings.staff_chat_id if staff else None
        self.receive = Receive(
            self.database, self.clock, staff_chat=staff_chat, flood=Flood(off=self.settings.pace == "off"),
            edges=Edges(read=read_stored, member=engine.member, presence=engine.presence, ring=self._ring),
        )  # fmt: skip
        self.tick = Tick(self.database, self.clock, zone=self.settings.zone, ring=self._ring)
        edges: list[Callable[[], Awaitable[None]]] = [self.tick.run]
        if not self.webhook:
            edges.append(functools.partial(self._poll, engine))
        self.lead = Lead(self.database, edges=edges)
        self._deliver: Deliver | None = None
        runner = await self._start_web()
        try:
            async with asyncio.TaskGroup() as group:
                leading = group.create_task(self.lead.run())
                helping = [group.create_task(self._look_around())] if not self.database.sqlite else []
                if not self.database.sqlite:
                    helping.append(group.create_task(bells.listen(self.database, self._wake)))
                presenting = introduction.present(
                    engine, self.settings, self._shown, self._its_turn, webhook=self.webhook, staff_chat=staff_chat
                )
                helping.append(group.create_task(presenting))
                pack, understanding, texts = await reading
                receiving = group.create_task(self._begin(engine, pack, understanding, texts, staff_chat))
                learning = learn_anew(pack, self.settings.cache, self.database, self.receive.read_with)
                helping.append(group.create_task(learning))
                if self.clock_from:
                    helping.append(group.create_task(demo_clock.follow(self.clock, self.clock_from)))
                await self._stop.wait()
                await self._end(helping, receiving, leading)
        finally:
            await runner.cleanup()
        log.info("stopped")

    async def _begin(
        self, engine: Engine, pack: Pack, understanding: Understanding, texts: Catalogs, staff_chat: int | None
    ) -> None:
        """The content is there: turns, ticks and deliveries begin. Returns when the last turn is made."""
        settings = self.settings
        self.city = City(
            pack=pack, office=make_office(settings), staff=staff_chat is not None, demo=self.demo,
            bot_name=engine.username,
        )  # fmt: skip
        titles = Titles(self.database)
        self.look_up = make_look_up(pack, texts, titles)
        outcomes = Outcomes(self.city, staff_chat, AFTERS)

        def end(db: sa.Connection, delivery: Any, outcome: Any, now: dt.datetime) -> None:
            outcomes.end(db, delivery, outcome, now)

        self._pacer = Pacer(off=settings.pace == "off")
        self._deliver = Deliver(
            self.database, self.clock, send=engine.send, outcomes=outcomes,
            writer=Writer(self.city, self.look_up, handlers.RENDERERS, staff_chat, end),
            pacer=self._pacer,
        )  # fmt: skip
        self._deliver.on_rest = self.on_rest
        if self.demo:
            zone, entries = pack.zone, pack.programmes
            await self.database.run(lambda db: programmes.put_demo(db, entries, zone, self.clock.now()))
        self.tick.begin(jobs(settings, self.city))
        self.lead.begin(self._deliver)
        self.clock.on_change(self.tick.all)
        self.clock.on_change(self._ring)
        self.health.reads = True
        handle = functools.partial(handlers.handle, handlers.ROUTES)
        turns = Turns(self.clock, self.city, handle, staff_chat, after=self._tell_leader)
        self.ready.set()
        log.info("started", city=pack.city, staff=self.city.staff, engine=settings.engine, webhook=self.webhook)
        await self.receive.run(turns, understanding.look, alone=self.database.sqlite)

    async def _end(
        self, helping: Sequence[asyncio.Task[None]], receiving: asyncio.Task[None], leading: asyncio.Task[None]
    ) -> None:
        """In the order of the way through: nothing new, the turns end, what is in flight arrives."""
        try:
            async with asyncio.timeout(_STOP_WITHIN):
                for task in helping:
                    task.cancel()
                self.lead.stop()
                self.receive.stop()
                await receiving
                self.lead.drain()
                await leading
        except TimeoutError:
            log.warning("stopped_half_way")  # what was on its way is told apart at the next start
            receiving.cancel()
            leading.cancel()

    def _ring(self) -> None:
        if self._deliver is not None:
            self._deliver.ring()

    def _wake(self) -> None:
        """Something may wait that another process stored."""
        self.receive.wake()
        self._ring()

    def _tell_leader(self, db: sa.Connection) -> None:
        """What was planned here may have to leave elsewhere."""
        if not self.lead.leads:
            bells.ring(db)

    async def _look_around(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY)
            self.health.leads = self.lead.leads
            self._wake()

    # --- Telegram -----------------------------------------------------------------------------------------------------

    async def _poll(self, engine: Engine) -> None:
        self.health.leads = True

        async def accept(updates: Sequence[RawUpdate]) -> None:
            self.health.heard()
            while True:
                try:
                    await self.receive.accept(updates, at_once=True)
                except DatabaseBusyError:
                    log.warning("database_busy", at="inbox")
                    await asyncio.sleep(_RETRY)
                else:
                    return

        try:
            await engine.poll(accept)
        except StopPollingError as error:
            self._failure = error
            self.stop()

    async def _shown(self) -> Sequence[Description] | None:
        """What Telegram shows of the bot, as soon as that is known; None while another process leads."""
        await self.ready.wait()
        if self.webhook and not self.lead.leads:
            return None
        return handlers.descriptions(self.city, self.look_up)

    async def _its_turn(self) -> None:
        """Until one more call may leave."""
        while (wait := self._pacer.wait(monotonic())) > 0:  # noqa: ASYNC110 (it is time that is awaited)
            await asyncio.sleep(wait)
        self._pacer.took("presented", 9, monotonic(), message=False)

    async def _start_web(self) -> Any:
        settings = self.settings
        hook = None
        if self.webhook:
            hook = web.Webhook(
                path=urlsplit(settings.webhook_url).path or "/", secret=settings.webhook_secret.get_secret_value(),
                read=read_posted, accept=self._posted, stopping=self.stopping,
            )  # fmt: skip
        try:
            return await web.start(settings.http_host, settings.http_port, self.health.tell, hook)
        except OSError as error:
            raise SettingsError(
                f"WEGWIJS_HTTP_PORT: {settings.http_port} cannot be used ({error.strerror}); choose another"
            ) from None

    async def _posted(self, update: RawUpdate) -> None:
        self.health.heard()
        await self.receive.accept([update])
