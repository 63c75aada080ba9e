"""A channel in memory that keeps what arrived, and a bot that dies when a test says so; it must know no rule.

The whole bot runs (lanes, turns, outbox, delivery, ticks) without HTTP, so that a history of many steps is cheap.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot import app as bots
from bot import failpoints
from bot.channel import Membership, NotSentError, Outgoing, Sent, UnknownOutcomeError, UnreachableError
from bot.inbox import RawUpdate
from bot.settings import Settings
from bot.storage import tables
from bot.telegram.updates import raw_updates

STAFF_CHAT, ELS = -1001000000001, 2001
START = dt.datetime(2030, 1, 7, 8, tzinfo=dt.UTC)


class CrashedError(BaseException):
    """The process is gone: nothing it does from now on may have an effect."""


@dataclass
class Telegram:
    """What is on the other side: updates that wait, messages that arrived."""

    pending: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[Outgoing] = field(default_factory=list)
    blocked: set[int] = field(default_factory=set)
    next_fault: str = ""  # not sent, unknown (it arrived all the same)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    bell: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, kind: str, body: dict[str, Any]) -> None:
        self.pending.append({"update_id": next(self.numbers), kind: body})
        self.bell.set()


class Channel:
    """As an engine of `bot.telegram`, before `Telegram`."""

    username = "wegwijs_bot"

    def __init__(self, telegram: Telegram, life: Life) -> None:
        self.telegram, self.life = telegram, life

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def listen(self, url: str, secret: str) -> None: ...
    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None: ...
    async def describe(self, descriptions: Sequence[Any], **named: Any) -> None: ...

    async def poll(self, accept: Callable[[Sequence[RawUpdate]], Awaitable[None]]) -> None:
        while True:
            self.telegram.bell.clear()
            batch = self.telegram.pending[:100]
            if not batch:
                await self.telegram.bell.wait()
                continue
            await accept(raw_updates(batch))
            self.life.check()
            del self.telegram.pending[: len(batch)]  # the next poll says that we have them

    async def send(self, outgoing: Outgoing) -> Sent:
        self.life.check()
        telegram = self.telegram
        if outgoing.chat in telegram.blocked:
            raise UnreachableError
        fault, telegram.next_fault = telegram.next_fault, ""
        if fault == "not sent":
            raise NotSentError
        telegram.arrived.append(outgoing)
        if fault == "unknown":
            raise UnknownOutcomeError
        number = next(telegram.numbers)
        return Sent(message_id=number, thread=number if outgoing.action == "topic_create" else None)

    async def member(self, chat: int, user: int) -> Membership | None:
        self.life.check()
        return Membership(user, "Els", "member", bot=False) if chat == STAFF_CHAT and user == ELS else None

    async def admins(self, chat: int) -> list[Membership]:
        assert chat == STAFF_CHAT
        return [Membership(ELS, "Els", "administrator", bot=False)]

    async def inspect(self, staff_chat: int | None) -> list[Any]:
        assert staff_chat == STAFF_CHAT
        return []


class Life:
    """One process of the bot, until it is dead."""

    def __init__(self) -> None:
        self.dead = False
        self.dies_at = ""
        self.passes = 0

    def at(self, name: str) -> None:
        """In the place of `failpoints.at`."""
        if name == self.dies_at:
            self.passes -= 1
            self.dead = self.dead or self.passes < 0
        self.check()

    def check(self) -> None:
        if self.dead:
            raise CrashedError


class Running:
    """The bot on its database, started again after each death."""

    def __init__(self, settings: Settings, content: bots.Content) -> None:
        self.settings, self.content = settings, content
        self.telegram = Telegram()
        self.ahead = 0.0
        self.deaths = 0

    async def start(self) -> None:
        self.life = Life()
        failpoints.at = self.life.at
        bots.read_content = lambda _settings: self.content  # type: ignore[attr-defined, assignment]
        self.app = bots.App(self.settings, engine=Channel(self.telegram, self.life))
        self.app.clock.set_offset(self.ahead)
        self.serving = asyncio.get_running_loop().create_task(self._serve())
        ready = asyncio.get_running_loop().create_task(self.app.ready.wait())
        await asyncio.wait({ready, self.serving}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        assert self.app.ready.is_set(), "the bot does not start"

    async def _serve(self) -> bool:
        """Whether it died."""
        try:
            await self.app.serve()
        except BaseExceptionGroup as group:
            _, others = group.split(CrashedError)
            if others is not None:
                raise
            return True
        except CrashedError:
            return True
        return False

    async def stop(self) -> None:
        self.app.stop()
        await self.serving
        failpoints.disarm()

    async def move_clock(self, seconds: float) -> None:
        self.ahead += seconds
        self.app.clock.set_offset(self.ahead)

    async def settle(self) -> None:
        """Until nothing that is due waits any more, through as many deaths as come."""
        if not self.serving.done():
            self.app._ring()  # a test may have planned something by itself
        waits = ["everything"]
        for _ in range(4000):
            if self.serving.done():
                self.serving.result()
                self.deaths += 1
                await self.start()
            if not self.life.dead:
                waits = self._waits()
                if not waits and not self.app.tick.busy and not self.telegram.pending:
                    return
            await asyncio.sleep(0.002)
        tasks = "\n".join(str(task) for task in asyncio.all_tasks())
        raise AssertionError(
            f"never quiet{' (dying)' if self.life.dead else ''}: {waits}, {len(self.telegram.pending)} updates at"
            f" Telegram\n{tasks}"
        )

    def _waits(self) -> list[str]:
        def look(db: sa.Connection) -> list[str]:
            box, now = tables.outbox.c, self.app.clock.now()
            due = (box.state == "sending") | (box.state == "planned") & (box.due_at <= now)
            rows = db.execute(sa.select(box.id, box.kind, box.lane, box.state).where(due))
            updates = db.scalars(sa.select(tables.inbox.c.update_id).where(tables.inbox.c.state == "waiting"))
            return [str(row) for row in rows] + [f"update {number}" for number in updates]

        return self.app.database.read_now(look)
