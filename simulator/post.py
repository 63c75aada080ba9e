"""POSTs JSON over connections that stay open, cheaply enough for a flood; it must not decide what a failure means."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import aiohttp

TIMEOUT = 20.0
_HEAD_MOST = 64 * 1024

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass
class Poster:
    """Connections by (host, port). Plain http only goes this way; https takes aiohttp's."""

    _idle: dict[tuple[str, int], list[_Connection]] = field(default_factory=dict)
    _session: aiohttp.ClientSession | None = None

    async def post(self, url: str, body: bytes, secret: str) -> tuple[int, str]:
        """Status and reason. Raises OSError, EOFError, ValueError or TimeoutError when there was no answer."""
        parts = urlsplit(url)
        async with asyncio.timeout(TIMEOUT):
            if parts.scheme != "http":
                return await self._secure(url, body, secret)
            place = (parts.hostname or "", parts.port or 80)
            path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
            token = f"X-Telegram-Bot-Api-Secret-Token: {secret}\r\n" if secret else ""
            head = (
                f"POST {path} HTTP/1.1\r\nHost: {place[0]}:{place[1]}\r\n{token}"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            return await self._plain(place, head.encode() + body)

    async def _plain(self, place: tuple[str, int], request: bytes) -> tuple[int, str]:
        reader, writer = await self._connection(place)
        try:
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, _, rest = head.partition("\r\n")
            _, code, reason = (status + "  ").split(" ", 2)
            fields = {name.strip().lower(): value.strip() for name, _, value in
                      (line.partition(":") for line in rest.split("\r\n"))}  # fmt: skip
            length = int(fields.get("content-length", -1))
            if length > 0:
                await reader.readexactly(length)
        except BaseException:
            writer.close()
            raise
        if length < 0 or fields.get("connection", "").lower() == "close":
            writer.close()
        else:
            self._idle.setdefault(place, []).append((reader, writer))
        return int(code), reason.strip()

    async def _connection(self, place: tuple[str, int]) -> _Connection:
        idle = self._idle.get(place, [])
        while idle:
            reader, writer = idle.pop()
            if not reader.at_eof() and reader.exception() is None and not writer.is_closing():
                return reader, writer
            writer.close()
        return await asyncio.open_connection(*place, limit=_HEAD_MOST)

    async def _secure(self, url: str, body: bytes, secret: str) -> tuple[int, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"Content-Type": "application/json"}
        if secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = secret
        async with self._session.post(url, data=body, headers=headers) as answer:
            return answer.status, answer.reason or ""

    async def close(self) -> None:
        """Close what is open."""
        for idle in self._idle.values():
            for _, writer in idle:
                writer.close()
        self._idle.clear()
        if self._session is not None:
            await self._session.close()
