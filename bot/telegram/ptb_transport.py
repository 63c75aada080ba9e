"""A transport for python-telegram-bot on aiohttp; it must not know what is sent.

httpx costs 2.5 ms CPU for an update that is answered, aiohttp 0.36; it also logs addresses, with the token, at INFO.
"""

from __future__ import annotations

import json
from typing import Any, Final

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram.error import NetworkError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.telegram.bodies import Call

_KEEP_ALIVE: Final = 10.0
"""Seconds that an idle connection is kept: less than the server's, or its end looks like a lost reply."""

_AGENT: Final = "wegwijs"


class NotConnectedError(NetworkError):
    """No connection was made: nothing can have arrived."""


class Body:
    """A call, given through `BaseRequest.post` to `do_request`: written once, without PTB's parameters."""

    def __init__(self, call: Call) -> None:
        self.call = call


class AiohttpRequest(BaseRequest):
    """Posts with aiohttp. One for each Bot; `shutdown` closes its connections."""

    def __init__(self, *, connections: int = 16, read: float = 20.0, connect: float = 10.0) -> None:
        self._connections = connections
        self._read = read
        self._connect = connect
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        """Seconds for an answer."""
        return self._read

    async def initialize(self) -> None:
        """Be ready."""
        if self._session is None or self._session.closed:
            connector = aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=_KEEP_ALIVE)
            self._session = aiohttp.ClientSession(connector=connector, headers={"User-Agent": _AGENT})

    async def shutdown(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, read_timeout: Any = None,
        write_timeout: Any = None, connect_timeout: Any = None, pool_timeout: Any = None,
    ) -> tuple[int, bytes]:  # fmt: skip
        """Status and body of the answer. Raises TimedOut, NotConnectedError or NetworkError."""
        del write_timeout, pool_timeout
        timeout = aiohttp.ClientTimeout(
            total=_seconds(read_timeout, self._read), connect=_seconds(connect_timeout, self._connect)
        )
        data, headers = _data(request_data)
        return await self.exchange(url, data, headers, timeout, method=method)

    async def exchange(
        self, url: str, data: bytes | aiohttp.FormData | None, headers: dict[str, str], within: aiohttp.ClientTimeout,
        *, method: str = "POST",
    ) -> tuple[int, bytes]:  # fmt: skip
        """The same, of a body that is written already."""
        if self._session is None:
            await self.initialize()
        assert self._session is not None  # noqa: S101 (initialize)
        try:
            async with self._session.request(method, url, data=data, headers=headers, timeout=within) as answer:
                return answer.status, await answer.read()
        except aiohttp.ClientConnectorError as error:
            raise NotConnectedError(type(error).__name__) from None
        except TimeoutError:
            raise TimedOut from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(type(error).__name__) from None


def _seconds(given: Any, otherwise: float) -> float:
    """PTB's DEFAULT_NONE means: what the transport was made with."""
    if isinstance(given, DefaultValue):
        given = given.value
    return otherwise if given is None else float(given)


def _data(given: RequestData | Body | None) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    if given is None:
        return None, {}
    if isinstance(given, RequestData):
        if not given.contains_files:
            return given.json_payload, {"Content-Type": "application/json"}
        form = aiohttp.FormData()
        for name, value in given.json_parameters.items():
            form.add_field(name, value)
        for name, (filename, content, kind) in given.multipart_data.items():
            form.add_field(name, content, filename=filename, content_type=kind)
        return form, {}
    call = given.call
    if call.file is None:
        return json.dumps(call.body).encode(), {"Content-Type": "application/json"}
    form = aiohttp.FormData()
    for name, value in call.body.items():
        form.add_field(name, value if isinstance(value, str) else json.dumps(value))
    form.add_field(call.file.field, call.file.content, filename=call.file.name)
    return form, {}
