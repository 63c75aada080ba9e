"""Both engines over real HTTP before the simulator, and a box for what they take in."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest

from bot.channel import Incoming
from bot.inbox import RawUpdate
from simulator import server
from simulator.client import Client, Phone

TOKEN = "7000000001:a-token-that-opens-nothing"
ENGINES = ("aiogram", "ptb")
PATIENCE = 15.0


def made(name: str, url: str, seconds: float = 10.0, token: str = TOKEN) -> Any:
    """An engine by its name in the settings."""
    return importlib.import_module(f"bot.telegram.{name}_engine").Engine(token, url, seconds=seconds)


class Box:
    """What an engine took in; `next` waits for the first that fits."""

    def __init__(self) -> None:
        self.raws: list[RawUpdate] = []
        self._more = asyncio.Event()

    async def accept(self, raws: Sequence[RawUpdate]) -> None:
        """What the engine calls."""
        self.raws += raws
        self._more.set()

    async def next(self, fits: Callable[[RawUpdate], Any]) -> RawUpdate:
        """The first that fits, taken out."""
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    for raw in self.raws:
                        if fits(raw):
                            self.raws.remove(raw)
                            return raw
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(f"it did not come; there are {[raw.raw for raw in self.raws]}") from None

    async def kind(self, kind: str) -> Incoming:
        """The next of this kind."""
        raw = await self.next(lambda raw: raw.incoming is not None and raw.incoming.kind == kind)
        assert raw.incoming is not None
        return raw.incoming


@contextlib.asynccontextmanager
async def polling(engine: Any) -> AsyncIterator[Box]:
    """A box that fills while the block runs."""
    box = Box()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(engine.poll(box.accept))
        try:
            yield box
        finally:
            task.cancel()


@pytest.fixture
async def running() -> AsyncIterator[server.Running]:
    opened = await server.start()
    opened.world.limits.on = False
    yield opened
    opened.world.cut()  # a poll that hangs need not be waited for
    await opened.close()


@pytest.fixture
async def client(running: server.Running) -> AsyncIterator[Client]:
    opened = Client(running.url)
    yield opened
    await opened.close()


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def engine(name: str, running: server.Running) -> AsyncIterator[Any]:
    opened = made(name, running.url)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def amina(client: Client) -> Phone:
    phone = await client.newcomer("Amina", "fr")
    await phone.write("/start")
    return phone


@pytest.fixture
async def box(engine: Any) -> AsyncIterator[Box]:
    async with polling(engine) as filling:
        yield filling


@pytest.fixture
def group(running: server.Running) -> int:
    return running.world.state.staff_id
