"""Finds out about an update before its transaction is opened: what it says, who wrote it; it must store nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bot import people
from bot.channel import ChannelError, Incoming, Membership
from bot.clock import Clock
from bot.inbox import Row
from bot.storage import notes
from bot.storage.database import Database
from bot.understanding import Look

log = structlog.get_logger(__name__)

TEXT_MOST: Final = 4096
_INLINE_MOST: Final = 600


def is_long(incoming: Incoming) -> bool:
    """Whether its text is read in a thread, so that the event loop goes on."""
    return len(incoming.text) > _INLINE_MOST


class Reading:
    """Reads updates, their texts (from `look_with` on), and who wrote them."""

    def __init__(
        self, database: Database, clock: Clock, *, read: Callable[[str], Incoming],
        member: Callable[[int, int], Awaitable[Membership | None]], staff_chat: int | None,
    ) -> None:  # fmt: skip
        self._database = database
        self._clock = clock
        self._read = read
        self._member = member
        self._staff_chat = staff_chat
        self._look_at: Callable[[str], Look]

    def look_with(self, look: Callable[[str], Look]) -> None:
        """From now on texts are read with `look`."""
        self._look_at = look

    def update(self, row: Row) -> Incoming | None:
        """What a stored update is; None for one that cannot be read."""
        if row.incoming is not None:
            return row.incoming
        try:
            return self._read(row.raw)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is set aside)
            log.warning("update_unreadable", update=row.id, error=type(error).__name__)
            return None

    def look(self, incoming: Incoming) -> Look | None:
        """What a private text says; None where there is none."""
        text = incoming.text[:TEXT_MOST]
        return self._look_at(text) if text and incoming.private else None

    async def looked(self, incoming: Incoming) -> Look | None:
        """The same, in a thread for a long text."""
        return await asyncio.to_thread(self.look, incoming) if is_long(incoming) else self.look(incoming)

    async def member(self, incoming: Incoming) -> Membership | None:
        """Whether the writer in the staff group is a member, asked when it is not fresh; None elsewhere."""
        sender = incoming.sender
        if incoming.private or sender is None or incoming.anonymous:
            return None
        chat, known = await self._database.read(
            lambda db: (notes.staff_chat(db, self._staff_chat), people.staff_check(db, sender, self._clock.now()))
        )
        if chat != incoming.chat or known is not None:
            return None
        try:
            return await self._member(incoming.chat, sender)
        except ChannelError as error:
            log.warning("member_unknown", error=type(error).__name__)
            return None
