"""The simulator over HTTP: the Bot API, the control API and the page on one port; it must know no bot.

`start` serves in the running event loop; `python -m simulator` as a process of its own.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator import control, crowd, judge
from simulator.api import Api, cut
from simulator.hooks import Hooks
from simulator.state import Json
from simulator.world import World

STATIC = Path(__file__).with_name("static")


@dataclass
class Running:
    """A simulator that serves. `url` is its address without a slash at the end."""

    url: str
    world: World
    _runner: web.AppRunner
    _site: web.BaseSite
    _host: str
    _port: int
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _held: socket.socket | None = None

    async def close(self) -> None:
        """Stop serving and close the log."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._held is not None:
            self._held.close()
        self.world.bells.ring("updates", "events", "clock", "log", "accepts")
        await self._runner.cleanup()
        self.world.close()

    async def refuse(self) -> None:
        """Cut every connection and refuse new ones: the port is closed, the state stays."""
        if self.world.closed:
            return
        self.world.closed = True
        await self._site.stop()
        # Bound but not listening: connections are refused, and nobody else gets the port meanwhile.
        family, kind, _, _, address = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0]
        self._held = socket.socket(family, kind)
        self._held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._held.bind(address)
        self.world.cut()
        for handler in list(self._runner.server.connections if self._runner.server else ()):
            transport = handler.transport
            if isinstance(transport, asyncio.Transport):
                cut(transport)

    async def reopen(self) -> None:
        """Serve again, at the same port."""
        if self._held is None:
            return
        self._held.setblocking(False)
        self._site = web.SockSite(self._runner, self._held)
        await self._site.start()
        self._held = None
        self.world.closed = False
        self.world.bells.ring("back")

    async def restart(self, seconds: float) -> None:
        """Telegram restarts: nobody can connect for so many real seconds; returns when it serves again."""
        await self.refuse()
        try:
            await asyncio.sleep(seconds)  # the outage that was asked for is a wait
        finally:
            await self.reopen()

    def register(self, count: int, *, language: str = "nl", started: bool = True) -> list[int]:
        """Many new people; their ids."""
        return crowd.register(self.world, count, language=language, started=started)

    def flood(self, texts: Iterable[tuple[int, str]]) -> list[int]:
        """Each (person, text) is written now; the update ids."""
        return crowd.flood(self.world, texts)

    async def stream(self, texts: Iterable[tuple[int, str]], *, rate: float) -> list[int]:
        """As `flood`, `rate` texts a second."""
        return await crowd.stream(self.world, texts, rate=rate)

    def figures(self) -> Json:
        """What GET /control/figures gives."""
        return judge.shown(self.world)

    async def _restarts(self) -> None:
        """The restarts that the control API asked for."""
        wanted = self.world.restarts
        while True:
            await self.world.bells.until("restart", lambda: True if wanted else None, 3600)
            if wanted:
                await asyncio.sleep(0.05)  # the answer to who asked goes out first
                await self.restart(wanted.pop(0))


async def start(
    data: Path | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    token: str = "",
    keep_messages: bool = True,
) -> Running:
    """Serve on a port (0: any). Raises OSError when the port is taken.

    Without `keep_messages` the memory of a long run is bounded.
    """
    world = World(data=data, token=token, keep_messages=keep_messages)
    app = web.Application(client_max_size=60 * 1024 * 1024)
    api = Api(world)
    app.router.add_route("*", "/bot{token}/{method}", api.call)
    app.router.add_get("/file/bot{token}/{path:.+}", api.download)
    control.add_routes(app, world)
    judge.add_routes(app, world)
    app.router.add_get("/", _page)
    app.router.add_static("/static", STATIC)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1, keepalive_timeout=3600)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address: Any = runner.addresses[0]
    running = Running(f"http://{host}:{address[1]}", world, runner, site, host, address[1])
    loop = asyncio.get_running_loop()
    running._tasks += [loop.create_task(Hooks(world).run()), loop.create_task(running._restarts())]  # noqa: SLF001
    return running


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})
