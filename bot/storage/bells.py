"""The bell between processes: PostgreSQL's LISTEN and NOTIFY; it carries no data and may be missed.

Whoever waits also looks every second: a bell only makes it sooner.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
import structlog

from bot.storage import hot
from bot.storage.database import Database

log = structlog.get_logger(__name__)

_NOTIFY: Final = hot.Sql("SELECT pg_notify('wegwijs', '')")
_RETRY: Final = 1.0


def ring(db: sa.Connection) -> None:
    """Ring in every process, once this transaction is committed."""
    if not hot.is_sqlite(db):
        _NOTIFY.rows(db)


async def listen(database: Database, heard: Callable[[], None]) -> None:
    """Call `heard` at every ring, until cancelled; comes back when the server does."""
    import psycopg

    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
                await connection.execute("LISTEN wegwijs")
                async for _ in connection.notifies():
                    heard()
        except psycopg.Error as error:
            log.warning("bell_lost", error=type(error).__name__)
        await asyncio.sleep(_RETRY)
