"""Delivers updates to the webhook as Telegram does; it must drop none that was not taken with a 2xx.

Up to `max_connections` POSTs at once, but those of one chat one after the other; a failed one is tried again after
growing waits while other chats go on. With `world.spread` the simulator is the load balancer before several
receivers: round robin, and one that refuses the connection is passed over.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque

import aiohttp

from simulator.clock import monotonic
from simulator.disorder import HOLD, lane_of
from simulator.post import Poster
from simulator.state import Json
from simulator.world import World

Waiting = deque[tuple[Json, bool]]


class Hooks:
    """The deliveries of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._turn = -1
        self._lanes: dict[int, Waiting] = {}
        self._slots = asyncio.Semaphore(1)
        self._next = itertools.count()
        self._poster = Poster()

    async def run(self) -> None:
        """Deliver until cancelled."""
        world = self._world
        try:
            async with asyncio.TaskGroup() as group:
                while True:
                    await world.bells.until("outgoing", lambda: True if world.outgoing else None, 3600)
                    if world.disorder.shuffles:
                        await asyncio.sleep(HOLD)  # in the hope of more to shuffle
                    self._share_out(group)
        finally:
            await self._poster.close()

    def _share_out(self, group: asyncio.TaskGroup) -> None:
        world = self._world
        if self._turn != world.webhook_turn:
            self._turn = world.webhook_turn
            self._lanes = {}
            self._slots = asyncio.Semaphore(int(world.state.webhook.get("max_connections", 40)))
        batch = list(world.outgoing)
        world.outgoing.clear()
        if world.disorder.shuffles:
            again = {id(update): repeated for update, repeated in batch}
            batch = [(one, again[id(one)]) for one in world.disorder.shuffled([update for update, _ in batch])]
        for update, repeated in batch:
            chat = lane_of(update)
            lane = self._lanes.get(chat)
            if lane is None:
                self._lanes[chat] = lane = deque()
                group.create_task(self._deliver(chat, lane, self._turn, self._slots))
            lane.append((update, repeated))

    async def _deliver(self, chat: int, lane: Waiting, turn: int, slots: asyncio.Semaphore) -> None:
        """The updates of one chat, one after the other."""
        world = self._world
        first, most = world.webhook_wait
        wait = first
        while lane and turn == world.webhook_turn:
            await world.bells.until("back", lambda: None if world.away else True, 3600)
            update, repeated = lane[0]
            if not repeated and update["update_id"] not in world.state.pending:
                lane.popleft()
                continue
            async with slots:
                why = await self._post(update) if turn == world.webhook_turn else "another webhook was set"
            if not why:
                wait = first
                lane.popleft()
                world.emit("delivered", update_id=update["update_id"], again=repeated)
                if not repeated:
                    world.taken([update["update_id"]])
                world.bells.ring("taken")
                continue
            if turn == world.webhook_turn and world.state.webhook:
                world.state.webhook |= {"last_error_date": world.clock.unix(), "last_error_message": why}
            await world.bells.until("webhook", lambda: True if turn != world.webhook_turn else None, wait)
            wait = min(wait * 2, most)
        if self._lanes.get(chat) is lane:
            del self._lanes[chat]

    async def _post(self, update: Json) -> str:
        """What went wrong, or nothing."""
        hook = self._world.state.webhook
        places = self._world.spread or [hook["url"]]
        body = json.dumps(update, separators=(",", ":")).encode()
        start, why = next(self._next), ""
        asked = monotonic()
        self._world.figures.handed.setdefault(update["update_id"], asked)
        for step in range(len(places)):
            try:
                status, reason = await self._poster.post(
                    places[(start + step) % len(places)], body, hook.get("secret", "")
                )
            except ConnectionRefusedError:
                why = "Connection refused"
                continue
            except (OSError, EOFError, ValueError, TimeoutError, aiohttp.ClientError) as error:
                self._world.figures.hooks[type(error).__name__] += 1
                return f"Connection lost ({type(error).__name__})"
            self._world.figures.hooks[str(status)] += 1
            if not 200 <= status < 300:
                return f"Wrong response from the webhook: {status} {reason}"
            self._world.figures.hook_seconds.append(monotonic() - asked)
            return ""
        self._world.figures.hooks[why] += 1
        return why
