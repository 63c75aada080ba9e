"""What the tests of the simulator share: one that serves, its control client, and a raw caller of the Bot API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from simulator import server
from simulator.client import Client

TOKEN = "7000000001:a-token-that-opens-nothing"


class Api:
    """Calls methods as a bot does, by plain HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session

    async def raw(self, method: str, token: str = TOKEN, **params: Any) -> tuple[int, dict[str, Any]]:
        """Status and body of a call with a JSON body."""
        async with self.session.post(f"{self.url}/bot{token}/{method}", json=params) as answer:
            return answer.status, await answer.json()

    async def ok(self, method: str, **params: Any) -> Any:
        """The result of a call that must be accepted."""
        status, body = await self.raw(method, **params)
        assert (status, body["ok"]) == (200, True), body
        return body["result"]


@pytest.fixture
async def running() -> AsyncIterator[server.Running]:
    opened = await server.start()
    yield opened
    await opened.close()


@pytest.fixture
async def client(running: server.Running) -> AsyncIterator[Client]:
    opened = Client(running.url)
    yield opened
    await opened.close()


@pytest.fixture
async def api(running: server.Running) -> AsyncIterator[Api]:
    async with aiohttp.ClientSession() as session:
        yield Api(running.url, session)
