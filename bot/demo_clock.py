"""Keeps the demo's clock with the simulator's; it must never run in a bot that real people write to."""

from __future__ import annotations

import asyncio
from typing import Final

import aiohttp

from bot.clock import Clock

_RETRY: Final = 2.0
_CLOCK_WAIT: Final = 25


async def follow_once(clock: Clock, simulator: str) -> None:
    """The time that the simulator has now. `simulator` is its address."""
    async with aiohttp.ClientSession() as session, session.get(f"{simulator}/control/clock") as answer:
        clock.set_offset(float((await answer.json())["offset"]))


async def follow(clock: Clock, simulator: str) -> None:
    """The simulator's clock, by long poll."""
    async with aiohttp.ClientSession() as session:
        while True:
            offset = clock.offset
            url = f"{simulator}/control/clock"
            try:
                timeout = aiohttp.ClientTimeout(total=_CLOCK_WAIT + 10)
                params = {"wait": str(_CLOCK_WAIT), "offset": str(offset)}
                async with session.get(url, params=params, timeout=timeout) as answer:
                    clock.set_offset(float((await answer.json())["offset"]))
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(_RETRY)
