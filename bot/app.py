"""Plugs everything together and runs it; it must decide nothing about what is said.

Read `App` from top to bottom: what it makes, in which order it starts, how it stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import fcntl
import functools
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import sqlalchemy as sa
import structlog

import handlers
from bot import (
    catalogs,
    erasure,
    handoff,
    inbox,
    office,
    outbox,
    people,
    programmes,
    reminders,
    roster,
    topics,
    web,
)
from bot.channel import ChannelError, Description, Fault, Membership, Outgoing, Sent, StopPollingError
from bot.clock import Clock, monotonic
from bot.conversation import City
from bot.deliver import Deliver, Tables
from bot.inbox import RawUpdate
from bot.language import STAFF_PREFIX, LookUp
from bot.pace import Pacer
from bot.receive import Edges, Receive
from bot.settings import Settings, SettingsError, missing
from bot.storage import migrate
from bot.storage.database import Database
from bot.storage.vault import Vault
from bot.telegram.updates import read_stored
from bot.tick import Job, Tick
from bot.topics import Pack
from bot.understanding import Understanding

log = structlog.get_logger(__name__)

_RETRY: Final = 2.0
_CLOCK_WAIT: Final = 25
_POLL_SILENT_MOST: Final = 120.0


AFTERS: Final = {**handoff.AFTERS, **erasure.AFTERS}
"""What follows from the outcome of a delivery, by the name that was planned."""


def jobs(settings: Settings, city: City) -> list[Job]:
    """What time brings."""
    terms = {
        "parked": settings.keep_parked, "questions": settings.keep_questions, "case_texts": settings.keep_case_texts,
        "bookings": settings.keep_bookings, "silent": settings.keep_silent, "files": settings.keep_files,
    }  # fmt: skip

    def watch(db: sa.Connection, now: dt.datetime) -> None:
        handoff.escalate(db, city=city, now=now)
        handoff.missed_promises(db, city=city, now=now)
        reminders.expire_offers(db, city=city, now=now)
        roster.post_due(db, city=city, now=now)

    def repair(db: sa.Connection, now: dt.datetime) -> None:
        if city.demo:
            programmes.put_demo(db, city.pack.programmes, city.pack.zone, now)
        reminders.repair(db, city=city, now=now)

    return [
        Job("watch", dt.timedelta(seconds=30), watch),
        Job("repair", dt.timedelta(minutes=5), repair),
        Job("expire", dt.timedelta(hours=1), lambda db, now: erasure.expire(db, city=city, now=now, terms=terms)),
    ]


class Titles:
    """What programmes are called, read again when one is not known (they change rarely, from a command)."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._words: dict[str, Mapping[str, str]] = {}

    def read(self) -> None:
        """Read them all."""
        self._words = self._database.read_now(programmes.words)

    def __call__(self, key: str, language: str) -> str | None:
        """The words of "programme:<id>/title" and the like: in the language, else Dutch, else any."""
        if key not in self._words:
            self.read()
        words = self._words.get(key, {})
        return words.get(language) or words.get("nl") or next(iter(words.values()), None)


class Engine(Protocol):
    """The library that talks to Telegram; every method may raise a ChannelError (bot/telegram)."""

    username: str

    async def open(self) -> None:
        """Ask who we are."""

    async def close(self) -> None:
        """Close the connections."""

    async def poll(self, accept: Callable[[Sequence[RawUpdate]], Awaitable[None]]) -> None:
        """Read updates for ever."""

    async def send(self, outgoing: Outgoing) -> Sent:
        """Send one message or do one action."""

    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None:
        """Stop a spinner, or show "typing"."""

    async def member(self, chat: int, user: int) -> Membership | None:
        """Somebody's place in a chat."""

    async def admins(self, chat: int) -> list[Membership]:
        """The admins of a group."""

    async def describe(self, descriptions: Sequence[Description], *, staff_chat: int | None) -> None:
        """Set commands and descriptions."""

    async def inspect(self, staff_chat: int | None) -> list[Fault]:
        """What is wrong with the token and the staff group."""


def make_engine(settings: Settings) -> Engine:
    """The engine that the settings name."""
    match settings.engine:
        case "aiogram":
            from bot.telegram.aiogram_engine import Engine as Aiogram

            return Aiogram(settings.telegram_token.get_secret_value(), settings.telegram_api_url)


def make_database(settings: Settings) -> Database:
    """The database with its keys. Raises SettingsError when a key is missing."""
    faults = missing(settings, token=False)
    if faults:
        raise SettingsError("\n".join(faults))
    return Database(settings.database_url, Vault(settings.encryption_keys, settings.index_key_bytes))


def make_office(settings: Settings) -> office.Office:
    """The city's hours. Raises SettingsError that names the key."""
    hours = {}
    for key, text in (("OFFICE_HOURS", settings.office_hours), ("DUTY_HOURS", settings.duty_hours)):
        try:
            hours[key] = office.parse_hours(text)
        except ValueError as error:
            raise SettingsError(f"WEGWIJS_{key}: {error}") from None
    return office.Office(settings.zone, hours["OFFICE_HOURS"], hours["DUTY_HOURS"], settings.answer_within)


def make_understanding(pack: Pack, cache: Path | None) -> Understanding:
    """What reads texts, taught with the pack's examples."""
    return Understanding(pack.examples, intents=topics.INTENTS, cache=cache)


def make_look_up(pack: Pack, texts: catalogs.Catalogs, titles: Callable[[str, str], str | None]) -> LookUp:
    """The one look-up: staff's words in Dutch, content, titles of programmes, interface texts; at last the key."""

    def look_up(key: str, language: str) -> str:
        if key.startswith(STAFF_PREFIX):
            return texts["staff"].gettext(key.removeprefix(STAFF_PREFIX))
        if key.startswith("programme:"):
            return titles(key, language) or key
        content = pack.look_up(key, language)
        if content is not None:
            return content
        return texts[language if language in texts else "en"].gettext(key)

    return look_up


def quiet_city(settings: Settings, *, demo: bool = False) -> City:
    """The city for a command that talks to nobody: no staff group, no bot name."""
    return City(topics.load(settings.content), make_office(settings), staff=False, demo=demo, bot_name="")


@contextlib.contextmanager
def only_one(database_url: str) -> Iterator[None]:
    """On SQLite one process writes: a lock file beside the database. Raises SettingsError when it is held."""
    if not database_url.startswith("sqlite"):
        yield
        return
    path = Path(database_url.removeprefix("sqlite:///") + ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingsError(
                f"WEGWIJS_DATABASE_URL: another wegwijs works with this database ({path.name} is locked); stop it first"
            ) from None
        yield


class App:
    """One running bot. `serve` runs it until `stop`."""

    def __init__(
        self, settings: Settings, *, demo: bool = False, clock_from: str = "", engine: Engine | None = None
    ) -> None:
        self.settings = settings
        self.demo = demo
        self.clock = Clock()
        self.clock_from = clock_from
        self.database = make_database(settings)
        self._given_engine = engine
        self._stop = asyncio.Event()
        self._accepted = monotonic()
        self.ready = asyncio.Event()
        self.on_rest: Callable[[], None] = lambda: None

    def stop(self) -> None:
        """End in good order: no new turns, what is in flight ends, then the database closes."""
        self._stop.set()

    async def serve(self) -> None:
        """Run. Raises SettingsError or PackError (what to mend), or StopPollingError."""
        try:
            with only_one(self.settings.database_url):
                await self._serve()
        finally:
            await asyncio.to_thread(self.database.close)

    async def _serve(self) -> None:
        settings = self.settings
        await self._check_tables()
        engine, (pack, understanding, texts) = await asyncio.gather(
            asyncio.to_thread(lambda: self._given_engine or make_engine(settings)),
            asyncio.to_thread(_read_content, settings),
        )
        self.city = City(pack=pack, office=make_office(settings), staff=False, demo=self.demo, bot_name="")
        self._titles = Titles(self.database)
        self.look_up = make_look_up(pack, texts, self._titles)
        if self.clock_from:
            await self._follow_clock_once()
        try:
            if not await self._meet_telegram(engine):
                return
            await self._run(engine, understanding)
        finally:
            await engine.close()

    async def _check_tables(self) -> None:
        if self.demo:
            await self.database.run(migrate.upgrade)
        elif not await self.database.read(migrate.is_current):
            raise SettingsError("WEGWIJS_DATABASE_URL: the tables are not those of this release; run `wegwijs migrate`")

    async def _meet_telegram(self, engine: Engine) -> bool:
        """Wait until Telegram is there, learn who we are and who is staff. False: stopped before."""
        staff_chat = self.settings.staff_chat_id
        while not self._stop.is_set():
            try:
                await engine.open()
                faults = await engine.inspect(staff_chat)
                admins = await engine.admins(staff_chat) if staff_chat is not None and not faults else []
            except StopPollingError:
                raise
            except ChannelError as error:
                log.warning("telegram_away", error=type(error).__name__)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop.wait(), _RETRY)
                continue
            for fault in faults:
                log.error("staff_group", fault=fault.what)
            works = staff_chat is not None and not faults
            self.city = City(self.city.pack, self.city.office, works, self.demo, engine.username)
            await self._note_admins(admins)
            return True
        return False

    async def _note_admins(self, admins: Sequence[Membership]) -> None:
        now = self.clock.now()
        await self.database.run(
            lambda db: [people.note_member(db, one.user, one.name, one.status, now) for one in admins]
        )

    async def _run(self, engine: Engine, understanding: Understanding) -> None:
        staff_chat = self.settings.staff_chat_id if self.city.staff else None
        self.deliver = Deliver(
            self.database, self.clock, self.city, send=engine.send, look_up=self.look_up,
            tables=Tables(handlers.RENDERERS, AFTERS), staff_chat=staff_chat,
            pacer=Pacer(off=self.settings.pace == "off"),
        )  # fmt: skip
        self.deliver.on_rest = self.on_rest
        ring = self.deliver.bell.set
        self.receive = Receive(
            self.database, self.clock, self.city,
            Edges(
                read=read_stored, handle=functools.partial(handlers.handle, handlers.ROUTES), look=understanding.look,
                member=engine.member, presence=engine.presence, ring=ring,
            ),
            staff_chat=staff_chat,
        )  # fmt: skip
        self.tick = Tick(self.database, self.clock, jobs(self.settings, self.city), zone=self.settings.zone, ring=ring)
        self.clock.on_change(self.tick.all)
        self.clock.on_change(ring)
        if self.demo:
            zone, entries = self.city.pack.zone, self.city.pack.programmes
            await self.database.run(lambda db: programmes.put_demo(db, entries, zone, self.clock.now()))
        runner = await self._start_web()
        loop = asyncio.get_running_loop()
        with _signals(loop, self.stop):
            try:
                async with asyncio.TaskGroup() as group:
                    edges = [
                        group.create_task(self._poll(engine)),
                        group.create_task(self.tick.run()),
                        group.create_task(self._describe(engine, staff_chat)),
                    ]
                    if self.clock_from:
                        edges.append(group.create_task(self._follow_clock()))
                    receiving = group.create_task(self.receive.run())
                    group.create_task(self.deliver.run())
                    self.ready.set()
                    log.info("started", city=self.city.pack.city, staff=self.city.staff, engine=self.settings.engine)
                    await self._stop.wait()
                    for edge in edges:
                        edge.cancel()
                    self.receive.stop()
                    await receiving
                    self.deliver.stop()
            except* StopPollingError as stopped:
                raise stopped.exceptions[0] from None
            finally:
                await runner.cleanup()
        log.info("stopped")

    async def _poll(self, engine: Engine) -> None:
        async def accept(updates: Sequence[RawUpdate]) -> None:
            self._accepted = monotonic()
            await self.receive.accept(updates)

        await engine.poll(accept)

    async def _describe(self, engine: Engine, staff_chat: int | None) -> None:
        """Commands and descriptions, after the start: nobody waits for them."""
        try:
            await engine.describe(handlers.descriptions(self.city, self.look_up), staff_chat=staff_chat)
        except ChannelError as error:
            log.warning("not_described", error=type(error).__name__)

    async def _start_web(self) -> Any:
        try:
            return await web.start(self.settings.http_host, self.settings.http_port, self.health)
        except OSError as error:
            raise SettingsError(
                f"WEGWIJS_HTTP_PORT: {self.settings.http_port} cannot be used ({error.strerror}); choose another"
            ) from None

    async def health(self) -> dict[str, Any]:
        """Whether this process does its work, and how much waits; no content, no ids."""
        silent = monotonic() - self._accepted
        now = self.clock.now()

        def look(db: sa.Connection) -> tuple[dict[str, int], dt.datetime | None]:
            return inbox.counts(db), outbox.next_due(db)

        try:
            updates, due = await asyncio.wait_for(self.database.read(look), 5)
        except Exception as error:  # noqa: BLE001 (whatever it is, this is what healthz is there to tell)
            return {"ok": False, "database": type(error).__name__}
        late = max(0.0, (now - due).total_seconds()) if due else 0.0
        return {
            "ok": silent < _POLL_SILENT_MOST,
            "database": "ok",
            "seconds_since_poll": round(silent),
            "updates_waiting": updates.get("waiting", 0),
            "updates_parked": updates.get("parked", 0),
            "seconds_late": round(late),
            "staff_group": self.city.staff,
        }

    # --- the demo's clock ---------------------------------------------------------------------------------------------

    async def _follow_clock_once(self) -> None:
        async with aiohttp.ClientSession() as session, session.get(f"{self.clock_from}/control/clock") as answer:
            self.clock.set_offset(float((await answer.json())["offset"]))

    async def _follow_clock(self) -> None:
        """The simulator's clock, by long poll."""
        async with aiohttp.ClientSession() as session:
            while True:
                offset = self.clock.offset
                url = f"{self.clock_from}/control/clock"
                try:
                    timeout = aiohttp.ClientTimeout(total=_CLOCK_WAIT + 10)
                    params = {"wait": str(_CLOCK_WAIT), "offset": str(offset)}
                    async with session.get(url, params=params, timeout=timeout) as answer:
                        self.clock.set_offset(float((await answer.json())["offset"]))
                except (aiohttp.ClientError, TimeoutError):
                    await asyncio.sleep(_RETRY)


def _read_content(settings: Settings) -> tuple[Pack, Understanding, catalogs.Catalogs]:
    pack = topics.load(settings.content)
    return pack, make_understanding(pack, settings.cache), catalogs.load(pack.languages)


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    names: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    try:
        for name in names:
            loop.add_signal_handler(name, stop)
    except (ValueError, RuntimeError):  # not the main thread (tests)
        names = ()
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)


__all__ = [
    "App",
    "Engine",
    "Mapping",
    "make_database",
    "make_engine",
    "make_look_up",
    "make_office",
    "only_one",
    "quiet_city",
]
