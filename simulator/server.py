"""The simulator over HTTP: the Bot API, the control API and the page on one port; it must know no bot.

`start` serves in the running event loop; `python -m simulator` as a process of its own.
"""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from simulator import control
from simulator.clock import monotonic
from simulator.errors import ApiError, conflict, too_many
from simulator.messages import migrate
from simulator.methods import COUNTED, FREE, METHODS
from simulator.methods.updates import allow
from simulator.params import Params, read
from simulator.state import Json
from simulator.world import World

STATIC = Path(__file__).with_name("static")
_TOKEN = re.compile(r"(\d+):.+")
_POLL_MOST = 50.0
_BATCH_MOST = 100
_WEBHOOK_RETRY = 0.2


class _LostError(Exception):
    """The connection goes away without an answer."""


@dataclass
class Running:
    """A simulator that serves. `url` is its address without a slash at the end."""

    url: str
    world: World
    _runner: web.AppRunner
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def close(self) -> None:
        """Stop serving and close the log."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.world.bells.ring("updates", "events", "clock", "log")
        await self._runner.cleanup()
        self.world.close()


async def start(data: Path | None = None, *, host: str = "127.0.0.1", port: int = 0, token: str = "") -> Running:
    """Serve on a port (0: any). Raises OSError when the port is taken."""
    world = World(data=data, token=token)
    app = web.Application(client_max_size=60 * 1024 * 1024)
    api = _Api(world)
    app.router.add_route("*", "/bot{token}/{method}", api.call)
    app.router.add_get("/file/bot{token}/{path:.+}", api.download)
    control.add_routes(app, world)
    app.router.add_get("/", _page)
    app.router.add_static("/static", STATIC)
    runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1, keepalive_timeout=3600)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address: Any = runner.addresses[0]
    running = Running(f"http://{host}:{address[1]}", world, runner)
    running._tasks.append(asyncio.get_running_loop().create_task(_webhooks(world)))  # noqa: SLF001
    return running


async def _page(_request: web.Request) -> web.StreamResponse:
    return web.FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


class _Api:
    """The Bot API of one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call of a method."""
        world = self._world
        name = request.match_info["method"].lower()
        if world.down:
            return _lose(request)
        params = Params({})
        try:
            self._check_token(request.match_info["token"])
            params = await read(request)
            result = await self._answer(name, params)
        except _LostError:
            return _lose(request)
        except _RawError as raw:
            return web.Response(status=raw.status, text=raw.text, content_type=raw.content_type)
        except ApiError as error:
            self._record(name, params, error.code, {"error": error.description})
            return web.json_response(error.body(), status=error.code)
        return web.json_response({"ok": True, "result": result})

    def _check_token(self, token: str) -> None:
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise ApiError(404, "Not Found")
        if self._world.token and token != self._world.token:
            raise ApiError(401, "Unauthorized")
        if int(found[1]) != self._world.state.bot_id:
            self._world.emit("bot", me={"id": int(found[1])})

    async def _answer(self, name: str, params: Params) -> object:
        world = self._world
        chat = params.number("chat_id")
        fault = world.faults.take(name, chat)
        await self._suffer(fault, params)
        if name == "getupdates":
            return await self._get_updates(params)
        method = METHODS.get(name)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        counted = name in COUNTED
        if name not in FREE:
            seconds = world.limits.wait(monotonic(), chat, counted=counted)
            if seconds:
                raise too_many(seconds)
        result = method(world, params)
        if name not in FREE:
            world.limits.take(monotonic(), chat, counted=counted)
        self._record(name, params, 200, {"result": result})
        if fault == "drop_reply":
            raise _LostError
        return result

    async def _suffer(self, fault: str, params: Params) -> None:
        kind, _, value = fault.partition(":")
        match kind:
            case "slow":
                await asyncio.sleep(float(value))  # the fault that was asked for is a wait
            case "429":
                raise too_many(int(value or 1))
            case "403":
                raise ApiError(403, "Forbidden: bot was blocked by the user")
            case "400":
                raise ApiError(400, f"Bad Request: {value}")
            case "502_html":
                raise _RawError(502, "<html><head><title>502 Bad Gateway</title></head></html>", "text/html")
            case "502_json":
                raise ApiError(502, "Bad Gateway")
            case "reset":
                raise _LostError
            case "migrate":
                old = self._world.state.chats[params.number("chat_id")]
                raise ApiError(
                    400, "Bad Request: group chat was upgraded to a supergroup chat",
                    {"migrate_to_chat_id": migrate(self._world, old)},
                )  # fmt: skip
            case _:
                return

    async def _get_updates(self, params: Params) -> list[Json]:
        world = self._world
        if world.state.webhook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        allow(world, params)
        offset = params.number("offset")
        if offset > 0 and world.state.pending and world.state.pending[0]["update_id"] < offset:
            world.emit("ack", upto=offset - 1)
        world.poller += 1
        mine = world.poller
        world.bells.ring("updates")
        limit = min(_BATCH_MOST, max(1, params.number("limit", _BATCH_MOST)))

        def look() -> list[Json] | None:
            if world.poller != mine:
                return []
            found = [*world.state.again, *world.state.pending][:limit]
            return found or None

        found = await world.bells.until("updates", look, min(_POLL_MOST, params.number("timeout"))) or []
        if world.down:
            # Not a 409: to a bot that means a second process, and it would stop for good.
            raise _LostError
        if world.poller != mine:
            raise conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        for update in list(world.state.again):
            if update in found:
                world.emit("delivered", update_id=update["update_id"], again=True)
        return found

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file of the bot."""
        path = request.match_info["path"]
        for record in self._world.state.files.values():
            if record["file_path"] == path:
                blob = self._world.blob(record["file_unique_id"])
                return web.Response(body=blob or b"", content_type=record["mime"] or "application/octet-stream")
        raise web.HTTPNotFound

    def _record(self, name: str, params: Params, status: int, outcome: Json) -> None:
        if name == "getupdates":
            return
        world = self._world
        world.record(
            {
                "at": world.clock.now().isoformat(),
                "method": name,
                "params": params.logged(),
                "status": status,
                **outcome,
            }
        )


class _RawError(Exception):
    """An answer that is no JSON of the Bot API."""

    def __init__(self, status: int, text: str, content_type: str) -> None:
        super().__init__(status)
        self.status, self.text, self.content_type = status, text, content_type


def _lose(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        raw = transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        transport.abort()
    return web.Response(status=500)


async def _webhooks(world: World) -> None:
    """Deliver pending updates to the webhook, in order, each until it is taken with 2xx."""
    async with aiohttp.ClientSession() as session:
        while True:
            update = await world.bells.until(
                "updates", lambda: world.state.pending[0] if world.state.webhook and world.state.pending else None, 3600
            )
            if update is None:
                continue
            hook = world.state.webhook
            headers = {"X-Telegram-Bot-Api-Secret-Token": hook["secret"]} if hook.get("secret") else {}
            try:
                timeout = aiohttp.ClientTimeout(total=20)
                async with session.post(hook["url"], json=update, headers=headers, timeout=timeout) as answer:
                    taken = 200 <= answer.status < 300
                    why = f"Wrong response from the webhook: {answer.status} {answer.reason}"
            except (aiohttp.ClientError, TimeoutError) as error:
                taken, why = False, f"Connection refused ({type(error).__name__})"
            if taken:
                world.emit("delivered", update_id=update["update_id"])
            else:
                world.state.webhook |= (
                    {"last_error_date": world.clock.unix(), "last_error_message": why} if world.state.webhook else {}
                )
                await world.bells.until("webhook", lambda: None, _WEBHOOK_RETRY)
