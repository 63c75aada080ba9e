"""The control API: be a person, move the clock, make faults, read the accept log; it must not be reachable by the bot.

People act through the same functions as the Bot API's methods, so the bot sees what Telegram would show it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from simulator import people
from simulator.clock import real_now
from simulator.errors import ApiError
from simulator.messages import change_topic, migrate
from simulator.state import Chat, Json
from simulator.world import World

_WAIT_MOST = 60.0


class Control:
    """The routes of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    # --- what there is --------------------------------------------------------------------------------------------

    async def state(self, _request: web.Request) -> web.Response:
        """Everything the page shows."""
        world, state = self.world, self.world.state
        return web.json_response(
            {
                "last_event": world.last_event,
                "boot": world.boot,
                "clock": self._clock(),
                "bot": state.me,
                "staff_chat": state.staff_id,
                "users": {str(user): data for user, data in state.users.items()},
                "reach": {str(user): status for user, status in state.reach.items()},
                "chats": {str(chat.id): _chat(chat) for chat in state.chats.values()},
                "keyboards": {str(chat): markup for chat, markup in state.keyboards.items()},
                "reactions": state.reactions,
                "commands": state.commands,
                "token": world.shown_token,
            }
        )

    def _clock(self) -> Json:
        clock = self.world.clock
        return {"now": clock.now().isoformat(), "offset": clock.offset, "boot": self.world.boot}

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events after a number; "reload" when they are no longer kept."""
        after = int(request.query.get("after", "0"))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        world = self.world
        try:
            while True:
                kept = [event for event in world.events if event["n"] > after]
                if after > world.last_event or (kept and kept[0]["n"] > after + 1):
                    await _send_event(response, {"type": "reload", "n": world.last_event})
                    after = world.last_event
                    continue
                for event in kept:
                    await _send_event(response, event)
                    after = event["n"]
                mark = after
                found = await self._newer(mark)
                if found is None:
                    await response.write(b": still here\n\n")
        except (ConnectionError, asyncio.CancelledError):
            return response

    async def file(self, request: web.Request) -> web.Response:
        """The bytes of a file, for the page."""
        record = self.world.state.files.get(request.match_info["file"])
        if record is None:
            raise web.HTTPNotFound
        blob = self.world.blob(record["file_unique_id"]) or b""
        return web.Response(body=blob, content_type=record["mime"] or "application/octet-stream")

    async def _newer(self, seen: int) -> bool | None:
        return await self.world.bells.until("events", lambda: True if self.world.last_event > seen else None, 15)

    async def log(self, request: web.Request) -> web.Response:
        """The accept log after a number, waiting until there is something."""
        after, wait = int(request.query.get("after", "0")), min(_WAIT_MOST, float(request.query.get("wait", "0")))
        method = request.query.get("method", "").lower()

        def look() -> list[Json] | None:
            start = max(0, after - self.world.calls_gone)
            return [call for call in self.world.calls[start:] if not method or call["method"] == method] or None

        return web.json_response({"calls": await self.world.bells.until("log", look, wait) or []})

    # --- people ---------------------------------------------------------------------------------------------------

    async def add_user(self, request: web.Request) -> web.Response:
        """A new person with a phone."""
        body = await body_of(request)
        if not body.get("first_name"):
            raise wrong("first_name is missing; expected a name such as Amina")
        user = people.add(self.world, body)
        return web.json_response({"id": user["id"], "user": user})

    async def act(self, request: web.Request) -> web.Response:
        """One deed of a person: write, edit, tap, voice, photo, document, sticker, location, contact, react, block."""
        deed = people.DEEDS.get(request.match_info["deed"])
        if deed is None:
            raise wrong(f"expected one of {', '.join(people.DEEDS)}")
        return web.json_response(deed(self.world, self._user(request), await body_of(request)) or {})

    async def staff(self, request: web.Request) -> web.Response:
        """Join or leave the staff group."""
        body, user = await body_of(request), self._user(request)
        people.place_in_group(self.world, user, request.match_info["deed"], body)
        return web.json_response({})

    def _user(self, request: web.Request) -> int:
        try:
            user = int(request.match_info["user"])
        except ValueError:
            user = 0
        if user not in self.world.state.users:
            raise wrong("no such person; expected an id that POST /control/users gave")
        return user

    async def delete_topic(self, request: web.Request) -> web.Response:
        """Somebody deletes a topic of the staff group by hand."""
        state = self.world.state
        chat, thread = state.chats[state.staff_id], int(request.match_info["thread"])
        if chat.topic(thread) is None:
            raise wrong("no such topic in the staff group")
        change_topic(self.world, chat, state.bot_id, thread, {"deleted": True}, {})
        return web.json_response({})

    async def migrate_group(self, _request: web.Request) -> web.Response:
        """The staff group gets a new id."""
        state = self.world.state
        return web.json_response({"new": migrate(self.world, state.chats[state.staff_id])})

    # --- updates, clock, faults -----------------------------------------------------------------------------------

    async def raw_update(self, request: web.Request) -> web.Response:
        """Queue an update as it is; without an update_id it gets the next one."""
        body = await body_of(request)
        if isinstance(body, dict):
            body.setdefault("update_id", self.world.state.last_update_id + 1)
        if not isinstance(body, dict) or type(body["update_id"]) is not int:
            raise wrong("expected an update: an object whose update_id, if it has one, is a whole number")
        self.world.queue(body)
        return web.json_response({"update_id": body["update_id"]})

    async def replay(self, request: web.Request) -> web.Response:
        """Deliver updates once more."""
        self.world.deliver_again((await body_of(request))["update_ids"])
        return web.json_response({})

    async def clock(self, request: web.Request) -> web.Response:
        """The clock; with `wait` and `offset` it answers when the offset is another."""
        if "wait" in request.query:
            known = float(request.query.get("offset", "0"))
            wait = min(_WAIT_MOST, float(request.query["wait"]))
            await self.world.bells.until("clock", lambda: abs(self.world.clock.offset - known) > 0.001 or None, wait)
        return web.json_response(self._clock())

    async def move_clock(self, request: web.Request) -> web.Response:
        """Forward by seconds, or to an instant; never back."""
        body = await body_of(request)
        offset = self.world.clock.offset
        if "to" in body:
            wanted = (dt.datetime.fromisoformat(body["to"]) - real_now()).total_seconds()
        else:
            wanted = offset + float(body.get("forward", 0))
        if wanted < offset - 1:
            raise wrong("the clock only moves forward")
        self.world.move_clock(max(wanted, offset))
        return web.json_response(self._clock())

    async def add_fault(self, request: web.Request) -> web.Response:
        """Faults still to come (simulator/faults.py), one or a list; {"clear": true} forgets those before it."""
        body = await body_of(request)
        try:
            self.world.faults.add(body if isinstance(body, list) else [body])
        except (KeyError, ValueError) as error:
            raise wrong(str(error)) from None
        return web.json_response({})

    async def no_faults(self, _request: web.Request) -> web.Response:
        """Forget the faults."""
        self.world.faults.waiting.clear()
        return web.json_response({})

    async def set_down(self, request: web.Request) -> web.Response:
        """Telegram is away (every connection is cut), or back."""
        self.world.down = bool((await body_of(request)).get("down"))
        if self.world.down:
            self.world.cut()
        self.world.bells.ring("back")
        return web.json_response({})

    async def set_limits(self, request: web.Request) -> web.Response:
        """Telegram's limits on or off."""
        self.world.limits = dataclasses.replace(self.world.limits, on=bool((await body_of(request)).get("on")))
        return web.json_response({})


def _chat(chat: Chat) -> Json:
    return {
        "id": chat.id, "type": chat.type, "title": chat.title, "is_forum": chat.is_forum,
        "members": {str(user): member for user, member in chat.members.items()},
        "topics": {str(thread): dataclasses.asdict(topic) for thread, topic in chat.topics.items()},
        "pinned": chat.pinned, "messages": list(chat.messages.values()),
    }  # fmt: skip


async def _send_event(response: web.StreamResponse, event: Json) -> None:
    await response.write(f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode())


async def body_of(request: web.Request) -> Any:
    """The JSON body, {} when there is none. Raises 400."""
    if not request.can_read_body:
        return {}
    try:
        return json.loads(await request.read() or b"{}")
    except ValueError:
        raise wrong("the body is not JSON") from None


def wrong(text: str) -> web.HTTPBadRequest:
    """What was wrong with a call of the control API."""
    return web.HTTPBadRequest(text=json.dumps({"error": text}), content_type="application/json")


def safe(
    call: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A handler whose wrong input is a 400 that says so."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await call(request)
        except ApiError as error:
            raise wrong(error.description) from None
        except (KeyError, TypeError, ValueError) as error:
            raise wrong(f"{type(error).__name__}: {error}") from None

    return guarded


def add_routes(app: web.Application, world: World) -> None:
    """Put the control API on an application."""
    control = Control(world)
    for method, path, call in (
        ("GET", "/control/state", control.state),
        ("GET", "/control/events", control.events),
        ("GET", "/control/log", control.log),
        ("GET", "/control/file/{file}", control.file),
        ("GET", "/control/clock", control.clock),
        ("POST", "/control/clock", control.move_clock),
        ("POST", "/control/users", control.add_user),
        ("POST", "/control/users/{user}/{deed}", control.act),
        ("POST", "/control/staff/{user}/{deed}", control.staff),
        ("POST", "/control/topics/{thread}/delete", control.delete_topic),
        ("POST", "/control/group/migrate", control.migrate_group),
        ("POST", "/control/update", control.raw_update),
        ("POST", "/control/replay", control.replay),
        ("POST", "/control/faults", control.add_fault),
        ("DELETE", "/control/faults", control.no_faults),
        ("POST", "/control/down", control.set_down),
        ("POST", "/control/limits", control.set_limits),
    ):
        app.router.add_route(method, path, safe(call))
