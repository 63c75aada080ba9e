"""The Bot API of one world over HTTP, with its faults; it must know no bot and do nothing Telegram would not.

A fault "before" refuses a call that had no effect, one "after" spoils the answer of a call that had its effect.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import socket

from aiohttp import web

from simulator.clock import monotonic
from simulator.disorder import HOLD
from simulator.errors import ApiError, bad, conflict, too_many
from simulator.faults import AFTER
from simulator.messages import migrate
from simulator.methods import FREE, METHODS
from simulator.methods.updates import allow
from simulator.params import Params, read
from simulator.state import Json
from simulator.world import COUNTED, World

_TOKEN = re.compile(r"(\d{1,18}):.+")
_POLL_MOST = 50.0
_BATCH_MOST = 100
_HTML = "<html><head><title>502 Bad Gateway</title></head></html>"
_dumps = json.JSONEncoder(separators=(",", ":")).encode


class _LostError(Exception):
    """The connection goes away without an answer."""


class _HtmlError(Exception):
    """A 502 that is no JSON of the Bot API."""


class Api:
    """The Bot API of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known = ""

    async def call(self, request: web.Request) -> web.StreamResponse:
        """One call of a method."""
        world = self._world
        name = request.match_info["method"].lower()
        if world.away:
            return _lose(request)
        params, fault = Params({}), ""
        try:
            self._check_token(request.match_info["token"])
            params = await _params(request)
            fault = world.faults.take(name, params.number("chat_id"))
            if fault:
                await self._before(fault, params)
            if name == "getupdates":
                result: object = await self._get_updates(request, params)
            else:
                result = self._do(name, params, fault)
        except _LostError:
            self._refused(name, params, 0, "the connection was cut", fault)
            return _lose(request)
        except _HtmlError:
            self._refused(name, params, 502, "Bad Gateway", fault)
            return web.Response(status=502, text=_HTML, content_type="text/html")
        except ApiError as error:
            if error.code == 429:
                counts = world.figures.asked_too_many if fault.startswith("429") else world.figures.too_many
                counts[name, params.number("chat_id")] += 1
            self._refused(name, params, error.code, error.description, fault)
            return web.json_response(error.body(), status=error.code)
        if name == "getupdates":
            self._count_poll(bool(result), fault)
        body = _dumps({"ok": True, "result": result}).encode()
        if fault.partition(":")[0] in AFTER:
            return await _spoiled(request, fault, body)
        return web.Response(body=body, content_type="application/json")

    def _check_token(self, token: str) -> None:
        if token == self._known:
            return
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise ApiError(404, "Not Found")
        if self._world.token and token != self._world.token:
            raise ApiError(401, "Unauthorized")
        if int(found[1]) != self._world.state.bot_id:
            self._world.emit("bot", me={"id": int(found[1])})
        self._known = token

    def _do(self, name: str, params: Params, fault: str) -> object:
        """Any method but getUpdates, within the limits, written to the log."""
        world = self._world
        method = METHODS.get(name)
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        counted, free, chat, now = name in COUNTED, name in FREE, params.number("chat_id"), monotonic()
        if not free and (seconds := world.limits.wait(now, chat, counted=counted)):
            raise too_many(seconds)
        try:
            result = method(world, params)
        except ApiError:
            raise
        except UnicodeError:
            raise bad("strings must be encoded in UTF-8") from None
        except (AttributeError, IndexError, KeyError, OverflowError, RecursionError, TypeError, ValueError) as error:
            # The methods read leniently what a bot sends: what has another shape than they need ends here.
            raise bad(f"can't parse the parameters of the call ({type(error).__name__})") from None
        if not free:
            world.limits.take(now, chat, counted=counted)
        spoiled = {"fault": fault} if fault else {}
        line = {"at": world.clock.now().isoformat(), "method": name, "params": params.logged(), "status": 200}
        message = world.state.chats[chat].messages.get(_message_id(result)) if counted else None
        world.record({**line, "result": result, **spoiled}, message)
        return result

    async def _before(self, fault: str, params: Params) -> None:
        kind, _, value = fault.partition(":")
        cuts = self._world.cuts
        match kind:
            case "slow":
                await asyncio.sleep(float(value))  # the fault that was asked for is a wait
                if self._world.cuts != cuts:
                    raise _LostError
            case "429":
                raise too_many(int(float(value or 1)))
            case "403":
                raise ApiError(403, "Forbidden: bot was blocked by the user")
            case "400":
                raise bad(value)
            case "502_html":
                raise _HtmlError
            case "502_json":
                raise ApiError(502, "Bad Gateway")
            case "reset":
                raise _LostError
            case "migrate":
                old = self._world.state.chats.get(params.number("chat_id"))
                if old is None or old.type == "private":
                    raise bad("chat not found")
                raise ApiError(
                    400, "Bad Request: group chat was upgraded to a supergroup chat",
                    {"migrate_to_chat_id": migrate(self._world, old)},
                )  # fmt: skip
            case _:
                return

    async def _get_updates(self, request: web.Request, params: Params) -> list[Json]:
        world, state = self._world, self._world.state
        if _gone(request):
            # After a fault that waited: this poll must not end the one that its bot has opened since.
            raise _LostError
        if state.webhook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
            )
        allow(world, params)
        self._acknowledge(params.number("offset"))
        world.poller += 1
        mine, cuts = world.poller, world.cuts
        world.bells.ring("updates")
        limit = min(_BATCH_MOST, max(1, params.number("limit", _BATCH_MOST)))

        def look() -> list[Json] | None:
            if world.poller != mine or world.cuts != cuts:
                return []
            return list(itertools.islice(itertools.chain(state.again, state.pending.values()), limit)) or None

        found = await world.bells.until("updates", look, min(_POLL_MOST, params.number("timeout"))) or []
        if found and world.disorder.shuffles:
            if len(found) < world.disorder.window:
                await asyncio.sleep(HOLD)  # in the hope of more to shuffle
            found = world.disorder.shuffled(look() or [])
        if world.cuts != cuts or _gone(request):
            # Not a 409: to a bot that means a second process, and it would stop for good.
            raise _LostError
        if world.poller != mine:
            raise conflict("terminated by other getUpdates request; make sure that only one bot instance is running")
        handed, now = world.figures.handed, monotonic()
        for update in found:
            handed.setdefault(update["update_id"], now)
        if state.again:
            repeated = {id(update) for update in found}
            for update in [one for one in state.again if id(one) in repeated]:
                world.emit("delivered", update_id=update["update_id"], again=True)
        return found

    def _acknowledge(self, offset: int) -> None:
        """Forget what is before `offset`; a negative one leaves the last so many."""
        world, pending = self._world, self._world.state.pending
        if not pending or not offset:
            return
        if offset < 0:
            if len(pending) <= -offset:
                return
            offset = list(pending)[offset]
        taken = list(itertools.takewhile(lambda update_id: update_id < offset, pending))
        if taken:
            world.emit("ack", upto=offset - 1)
            world.taken(taken)

    def _count_poll(self, found: bool, fault: str) -> None:  # noqa: FBT001
        self._world.figures.polls[fault or ("some" if found else "none")] += 1
        if fault:
            at = self._world.clock.now().isoformat()
            self._world.record({"at": at, "method": "getupdates", "params": {}, "status": 200, "fault": fault})

    def _refused(self, name: str, params: Params, status: int, why: str, fault: str) -> None:
        """Write down a call without effect; of a poll only that it was."""
        world = self._world
        if name == "getupdates":
            world.figures.polls[fault or str(status)] += 1
        spoiled = {"fault": fault} if fault else {}
        line = {"at": world.clock.now().isoformat(), "method": name, "params": {}, "status": status, "error": why}
        if name != "getupdates":
            line["params"] = params.logged()
        elif not fault:
            return
        world.record(line | spoiled)

    async def download(self, request: web.Request) -> web.StreamResponse:
        """A file of the bot."""
        path = request.match_info["path"]
        for record in self._world.state.files.values():
            if record["file_path"] == path:
                blob = self._world.blob(record["file_unique_id"])
                return web.Response(body=blob or b"", content_type=record["mime"] or "application/octet-stream")
        raise web.HTTPNotFound


def _message_id(result: object) -> int:
    return int(result["message_id"]) if isinstance(result, dict) else 0


async def _params(request: web.Request) -> Params:
    try:
        return await read(request)
    except UnicodeError:
        raise bad("strings must be encoded in UTF-8") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise bad(f"can't parse the request body ({type(error).__name__})") from None


async def _spoiled(request: web.Request, fault: str, body: bytes) -> web.StreamResponse:
    """The answer to a call that had its effect, in the way the fault asks for."""
    kind, _, value = fault.partition(":")
    match kind:
        case "accept_502_html":
            return web.Response(status=502, text=_HTML, content_type="text/html")
        case "accept_502_json":
            return web.json_response(ApiError(502, "Bad Gateway").body(), status=502)
        case "accept_slow":
            await asyncio.sleep(float(value))  # the fault that was asked for is a wait
            return web.Response(body=body, content_type="application/json")
        case "slow_headers":
            return await _slow_headers(request, float(value), body)
        case _:
            return _lose(request)


async def _slow_headers(request: web.Request, seconds: float, body: bytes) -> web.StreamResponse:
    """The first line at once, the rest of the head and the body later, then the end of the connection."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n")
        await asyncio.sleep(seconds)  # the fault that was asked for is a wait
        if not transport.is_closing():
            transport.write(b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            transport.close()
    return web.Response(status=500)  # the connection is closed: nobody gets this


def _gone(request: web.Request) -> bool:
    """Whether who called has hung up, or was killed."""
    return request.transport is None or request.transport.is_closing()


def _lose(request: web.Request) -> web.StreamResponse:
    """Close the connection without an answer."""
    transport = request.transport
    if isinstance(transport, asyncio.Transport):
        cut(transport)
    return web.Response(status=500)


def cut(transport: asyncio.Transport) -> None:
    """End a connection with a reset."""
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    transport.abort()
