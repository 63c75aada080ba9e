"""Meets Telegram at the start and presents the bot there; it must read no update and send no message."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from bot import people
from bot.channel import ChannelError, Description, Membership, StopPollingError, ThrottledError
from bot.clock import Clock
from bot.parts import Engine
from bot.settings import Settings
from bot.storage.database import Database, DatabaseBusyError

log = structlog.get_logger(__name__)

_RETRY: Final = 2.0


async def meet_telegram(
    engine: Engine, database: Database, clock: Clock, *, staff_chat: int | None, stop: asyncio.Event
) -> bool | None:
    """Wait until Telegram is there, learn who we are and who is staff. Whether the staff group works;
    None: stopped before.
    """
    while not stop.is_set():
        try:
            await engine.open()
            faults = await engine.inspect(staff_chat)
            admins = await engine.admins(staff_chat) if staff_chat is not None and not faults else []
        except StopPollingError:
            raise
        except ChannelError as error:
            log.warning("telegram_away", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_RETRY):
                    await stop.wait()
            continue
        for fault in faults:
            log.error("staff_group", fault=fault.what)
        await _note_admins(admins, database, clock)
        return staff_chat is not None and not faults
    return None


async def _note_admins(admins: Sequence[Membership], database: Database, clock: Clock) -> None:
    now = clock.now()
    with contextlib.suppress(DatabaseBusyError):  # they are looked up again when they write
        await database.run(lambda db: [people.note_member(db, one.user, one.name, one.status, now) for one in admins])


async def present(
    engine: Engine, settings: Settings, shown: Callable[[], Awaitable[Sequence[Description] | None]],
    its_turn: Callable[[], Awaitable[None]], *, webhook: bool, staff_chat: int | None,
) -> None:  # fmt: skip
    """Commands and descriptions, and where to post: after the start, nobody waits for them.

    `shown` waits for the descriptions; None when there is nothing to present from here. `its_turn` waits until a call
    may leave: Telegram counts these with the messages, and sixteen languages are more than it takes in a second.
    """
    while True:
        try:
            if webhook:
                secret = settings.webhook_secret.get_secret_value()
                await engine.listen(settings.webhook_url, secret)
            descriptions = await shown()
            if descriptions is not None:
                await engine.describe(descriptions, staff_chat=staff_chat, its_turn=its_turn)
        except ChannelError as error:
            log.warning("not_presented", error=type(error).__name__)
            await asyncio.sleep(error.retry_after if isinstance(error, ThrottledError) else _RETRY)
        else:
            return
