"""The least transport of python-telegram-bot over aiohttp: what httpx alone costs shows beside it."""

from __future__ import annotations

from typing import Any

import aiohttp
from telegram.request import BaseRequest, RequestData


class OverAiohttp(BaseRequest):
    """Posts with aiohttp, without uploads."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for an answer."""
        return 20.0

    async def initialize(self) -> None:
        """Open the session."""
        self._session = aiohttp.ClientSession()

    async def shutdown(self) -> None:
        """Close it."""
        if self._session:
            await self._session.close()

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, read_timeout: Any = None,
        write_timeout: Any = None, connect_timeout: Any = None, pool_timeout: Any = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """One call; the status and the body."""
        del read_timeout, write_timeout, connect_timeout, pool_timeout
        assert self._session is not None  # noqa: S101 (`initialize` comes first)
        body: dict[str, Any] = dict(request_data.json_parameters) if request_data else {}
        async with self._session.request(method, url, data=body) as answer:
            return answer.status, await answer.read()
