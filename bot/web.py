"""Says on loopback whether the process does its work (`/healthz`); it must tell nothing about anybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

Health = Callable[[], Awaitable[dict[str, Any]]]
"""What to tell; its "ok" decides between 200 and 503."""


async def start(host: str, port: int, health: Health) -> web.AppRunner:
    """Serve until the runner's `cleanup`. Raises OSError when the port is taken."""

    async def healthz(_request: web.Request) -> web.Response:
        told = await health()
        return web.json_response(told, status=200 if told.get("ok") else 503)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    runner = web.AppRunner(app, access_log=None, handle_signals=False)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner
