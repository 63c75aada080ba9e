"""Puts a backup back and erases again who asked for it since; it must not run beside a bot."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path

import sqlalchemy as sa

from bot import erasure
from bot.clock import Clock
from bot.parts import make_database, only_one, quiet_city
from bot.settings import Settings
from bot.storage import copies, migrate


def restore(settings: Settings, source: Path) -> str:
    """Put `source` in the place of the database. Who was erased after the copy was made is erased in it again.

    Raises CopyError (not a copy of ours, damaged, PostgreSQL) or SettingsError (a bot still runs).
    """
    city = quiet_city(settings)
    with only_one(settings.database_url):
        gone: list[tuple[bytes, dt.datetime]] = []
        with contextlib.suppress(sa.exc.SQLAlchemyError):
            now_here = make_database(settings)
            try:
                gone = now_here.read_now(erasure.erased_indexes)
            finally:
                now_here.close()
        copies.put_back(source, settings.database_url)
        database = make_database(settings)
        try:
            database.run_now(migrate.upgrade)
            again = database.run_now(lambda db: erasure.erase_again(db, gone, city=city, now=Clock().now()))
        finally:
            database.close()
    return f"The backup is back. Erased again: {again}. The database before is kept beside it (….before-restore)."
