"""Learns anew beside the running bot when the pack or what staff taught is newer; it must hold up no turn."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from bot import questions, teaching
from bot.storage.database import Database, DatabaseBusyError
from bot.topics import Pack
from bot.understanding import Look

log = structlog.get_logger(__name__)

_LEARN_EVERY: Final = 30.0


async def learn_anew(
    pack: Pack, cache: Path, database: Database, read_with: Callable[[Callable[[str], Look]], None]
) -> None:
    """When the pack is newer than what reads texts, or staff taught more: learn beside, and read with it."""
    reads = None
    while True:
        with contextlib.suppress(DatabaseBusyError):
            taught = await database.read(questions.taught)
            if reads is None and await asyncio.to_thread(teaching.is_fresh, pack, cache, taught):
                reads = taught
            if reads != taught:
                reads = taught
                await _learn(pack, cache, taught, read_with)
        await asyncio.sleep(_LEARN_EVERY)  # staff teach now and then, in any process: there is no event to await


async def _learn(
    pack: Pack, cache: Path, taught: teaching.Taught, read_with: Callable[[Callable[[str], Look]], None]
) -> None:
    log.info("understanding_stale")
    try:
        # another process may have learnt it already
        if not await asyncio.to_thread(teaching.is_fresh, pack, cache, taught):
            await asyncio.to_thread(teaching.rebuild, pack.folder, cache, taught)
        found, _ = await asyncio.to_thread(teaching.understanding, pack, cache, taught)
    except (teaching.TeachingError, OSError) as error:
        log.exception("understanding_stays_stale", error=type(error).__name__)
        return
    read_with(found.look)
    log.info("understanding_new")
