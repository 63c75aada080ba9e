"""Serves `/healthz`, `/readyz`, `/metrics` and the webhook; it must tell nothing about anybody and handle no update.

A webhook's post is answered 200 when it is stored, 503 when it could not be, 401 when the secret is wrong. What is
no update is counted and dropped with a 200: Telegram would send it again for a day.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from bot import metrics
from bot.inbox import RawUpdate
from bot.storage.database import DatabaseBusyError

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 (the name of a header)
BODY_MOST: Final = 1024 * 1024
"""Bytes of one post; Telegram's own are a few thousand."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where Telegram posts, what it must say, and who takes it in."""

    path: str
    secret: str
    read: Callable[[bytes], RawUpdate | None]
    accept: Callable[[RawUpdate], Awaitable[None]]
    stopping: Callable[[], bool]


async def start(
    host: str, port: int, health: Callable[[], Awaitable[dict[str, Any]]], webhook: Webhook | None = None
) -> web.AppRunner:
    """Serve until the runner's `cleanup`. Raises OSError when the port is taken."""

    async def healthz(_request: web.Request) -> web.Response:
        told = await health()
        return web.json_response(told, status=200 if told.get("ok") else 503)

    async def readyz(_request: web.Request) -> web.Response:
        told = await health()
        return web.json_response(told, status=200 if told.get("ready") else 503)

    async def shown(_request: web.Request) -> web.Response:
        await health()  # the gauges
        return web.Response(body=metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    app = web.Application(client_max_size=BODY_MOST)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", shown)
    if webhook is not None:
        app.router.add_post(webhook.path, _posted(webhook))
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=5)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=1024).start()
    return runner


def _posted(webhook: Webhook) -> Callable[[web.Request], Awaitable[web.Response]]:
    secret = webhook.secret.encode()

    async def posted(request: web.Request) -> web.Response:
        given = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, secret):
            metrics.dropped.labels("secret").inc()
            return web.Response(status=401)
        if webhook.stopping():
            return web.Response(status=503)
        update = webhook.read(await request.read())
        if update is None:
            metrics.dropped.labels("unreadable").inc()
            return web.Response()
        try:
            await webhook.accept(update)
        except DatabaseBusyError:
            return web.Response(status=503)
        return web.Response()

    return posted
