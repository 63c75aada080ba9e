"""Many people at once, without HTTP: for load; it must do the same as one person after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from simulator import people
from simulator.clock import monotonic
from simulator.state import Json
from simulator.world import World


def register(world: World, count: int, *, language: str = "nl", started: bool = True) -> list[int]:
    """New people; with `started` the bot may write to them. Returns their ids."""
    made: list[int] = []
    for _ in range(count):
        number = world.state.last_user_id + 1
        user: Json = {"id": number, "is_bot": False, "first_name": f"P{number % 10**6}", "language_code": language}
        world.emit("user", user=user)
        if started:
            world.emit("reach", user=number, status="member")
        made.append(number)
    return made


def flood(world: World, texts: Iterable[tuple[int, str]]) -> list[int]:
    """Each (person, text) is written now, in this order. Returns the update ids (0: the bot did not ask for it).

    Raises ApiError for one who is no person or has blocked the bot.
    """
    given: list[int] = []
    for user, text in texts:
        before = world.state.last_update_id
        people.write(world, user, {"text": text})
        given.append(world.state.last_update_id if world.state.last_update_id > before else 0)
    return given


async def stream(world: World, texts: Iterable[tuple[int, str]], *, rate: float) -> list[int]:
    """As `flood`, `rate` texts a second; late ones are made up for. Returns when the last is written."""
    given: list[int] = []
    started = monotonic()
    for number, text in enumerate(texts):
        early = started + number / rate - monotonic()
        if early > 0:
            await asyncio.sleep(early)
        elif number % 100 == 0:
            await asyncio.sleep(0)  # one that cannot keep up still lets others work
        given += flood(world, [text])
    return given
