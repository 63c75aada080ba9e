"""A whole town for a test: the simulator, the real bot before it over HTTP, and people who write.

`async with town(...) as lokeren:` gives phones and staff; after each step `settle` waits until the bot has done
everything that is due. The clock starts on a fixed Monday morning, so that transcripts stay the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.app import App
from bot.env_file import made_keys
from bot.language import plain
from bot.settings import load
from bot.storage import tables
from simulator import server
from simulator.client import Client

TOKEN = "1:demo-token-of-the-simulator-no-secret"
START = "2030-01-07T08:00:00+01:00"
ROOT = Path(__file__).parent.parent
PATIENCE = 20.0


@dataclass
class Shown:
    """A message as a phone shows it."""

    id: int
    text: str
    buttons: list[tuple[str, str]] = field(default_factory=list)


@dataclass
class Town:
    """The bot, the simulator, and how to wait for both."""

    app: App
    client: Client
    settings: Any
    rested: asyncio.Event

    async def settle(self) -> None:
        """Wait until every update is handled and nothing more is due. Fails with what still waits."""
        try:
            async with asyncio.timeout(PATIENCE):
                while waits := await self._waits():
                    self.rested.clear()
                    if waits == await self._waits():
                        with contextlib.suppress(TimeoutError):  # the simulator takes an acknowledgement silently
                            await asyncio.wait_for(self.rested.wait(), 0.05)
        except TimeoutError:
            raise AssertionError(f"the bot did not come to rest: {await self._waits()}") from None

    async def _waits(self) -> str:
        if self.client_pending():
            return "updates in the simulator"
        if self.app.tick.busy:
            return "the tick"
        now = self.app.clock.now()

        def look(db: sa.Connection) -> str:
            waiting = db.scalar(sa.select(sa.func.count()).where(tables.inbox.c.state == "waiting"))
            due = db.execute(
                sa.select(tables.outbox.c.kind, tables.outbox.c.state, tables.outbox.c.fault).where(
                    sa.or_(
                        tables.outbox.c.state == "sending",
                        sa.and_(tables.outbox.c.state == "planned", tables.outbox.c.due_at <= now),
                    )
                )
            ).all()
            return f"inbox {waiting}, outbox {due}" if waiting or due else ""

        return await self.app.database.read(look)

    def client_pending(self) -> bool:
        """Whether the simulator still holds updates for the bot."""
        return bool(self.world.state.pending)

    @property
    def world(self) -> Any:
        """The simulator's inside."""
        return self._world

    _world: Any = None

    async def forward(self, **delta: float) -> None:
        """Move the clock on, and wait until the bot has done what is then due."""
        await self.client.forward(dt.timedelta(**delta).total_seconds())
        await self._clock_followed()

    async def until(self, local: str) -> None:
        """Move the clock to a local time, "2030-01-08T07:30"."""
        at = dt.datetime.fromisoformat(local).replace(tzinfo=self.app.settings.zone)
        await self.client.clock_to(at.isoformat())
        await self._clock_followed()

    async def follow_clock(self) -> None:
        """Wait until the bot has the clock of the simulator, and has done what is then due."""
        await self._clock_followed()

    async def _clock_followed(self) -> None:
        changed = asyncio.Event()
        self.app.clock.on_change(changed.set)
        offset = self.world.clock.offset
        async with asyncio.timeout(PATIENCE):
            while abs(self.app.clock.offset - offset) > 0.5:
                await changed.wait()
                changed.clear()
        await self.settle()


def shown(messages: list[dict[str, Any]]) -> list[Shown]:
    """Messages of the simulator, plain."""
    return [
        Shown(
            one["message_id"],
            plain(
                one.get("text")
                or one.get("caption")
                or f"[{next((k for k in ('venue', 'document', 'photo', 'voice', 'location') if k in one), 'other')}]"
            ),
            [
                (plain(key["text"]), key.get("callback_data") or key.get("url", ""))
                for row in (one.get("reply_markup") or {}).get("inline_keyboard", [])
                for key in row
            ],
        )
        for one in messages
    ]


@contextlib.asynccontextmanager
async def town(
    folder: Path, *, database_url: str = "", staff: bool = True, at: str = START, limits: bool = False, **given: Any
) -> AsyncIterator[Town]:
    """A town whose bot runs while the block runs. `given` are settings."""
    running = await server.start(data=None)
    client = Client(running.url)
    try:
        await client.clock_to(at)
        await client.set_limits(limits)
        state = await client.state()
        keys = made_keys()
        settings = load(
            _env_file=None,
            telegram_token=TOKEN,
            telegram_api_url=running.url,
            database_url=database_url or f"sqlite:///{folder / 'town.db'}",
            staff_chat_id=int(state["staff_chat"]) if staff else None,
            **{
                "content": ROOT / "content" / "lokeren",
                "cache": ROOT / "var" / "cache",
                "http_port": 0,
                **keys,
                "pace": "on" if limits else "off",
                **given,
            },
        )
        rested = asyncio.Event()
        app = App(settings, demo=True, clock_from=running.url)
        app.on_rest = rested.set
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(app.serve())
            ready = group.create_task(app.ready.wait())
            await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
            made = Town(app, client, settings, rested)
            made._world = running.world
            try:
                await made.settle()
                yield made
            finally:
                ready.cancel()
                app.stop()
    finally:
        await client.close()
        await running.close()
