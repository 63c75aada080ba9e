"""Sees to the process itself: the tables it needs, the signals that end it; it must not know what runs in it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator
from typing import Final

import structlog

from bot.settings import SettingsError
from bot.storage import migrate
from bot.storage.database import Database, DatabaseBusyError

log = structlog.get_logger(__name__)

_RETRY: Final = 2.0


async def check_tables(database: Database) -> None:
    """Wait until the database answers. Raises SettingsError when its tables are not those of this release."""
    while True:
        try:
            current = await database.read(migrate.is_current)
        except DatabaseBusyError:
            log.warning("database_busy", at="start")
            await asyncio.sleep(_RETRY)
            continue
        if not current:
            raise SettingsError("WEGWIJS_DATABASE_URL: the tables are not those of this release; run `wegwijs migrate`")
        return


@contextlib.contextmanager
def signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """Meanwhile Ctrl-C and SIGTERM call `stop`."""
    names: tuple[int, ...] = (signal.SIGINT, signal.SIGTERM)
    try:
        for name in names:
            loop.add_signal_handler(name, stop)
    except (ValueError, RuntimeError):  # not the main thread (tests)
        names = ()
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
