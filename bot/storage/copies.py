"""A whole copy of the SQLite database while it is in use; it must not open what is sealed (keys are kept elsewhere)."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Final

SQLITE: Final = "sqlite:///"


class CopyError(Exception):
    """The copy cannot be made or used; the message says why and what to do."""


def path_of(database_url: str) -> Path:
    """The file of a SQLite address. Raises CopyError for PostgreSQL, which has its own tools."""
    if not database_url.startswith(SQLITE):
        raise CopyError("PostgreSQL is copied with its own tools: pg_dump --format=custom, and pg_restore")
    return Path(database_url.removeprefix(SQLITE))


def backup(database_url: str, target: Path) -> str:
    """Copy the database to a new file, readable by its owner alone, and check the copy. Raises CopyError."""
    source = path_of(database_url)
    if not source.exists():
        raise CopyError(f"{source}: is not there; nothing to copy")
    try:
        target.touch(mode=0o600, exist_ok=False)
    except FileExistsError:
        raise CopyError(f"{target}: is already there and is not overwritten; choose another name") from None
    with contextlib.closing(sqlite3.connect(source)) as live, contextlib.closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        _check(copy, target)
    return f"{target} holds the database. Its keys are not in it: keep .env elsewhere, just as safe."


def put_back(source: Path, database_url: str) -> None:
    """Put a checked copy in the place of the database; the old one stays beside it as `….before-restore`."""
    target = path_of(database_url)
    with contextlib.closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as copy:
        _check(copy, source)
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(target.name + ".restoring")
        fresh.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(fresh)) as made:
            copy.backup(made)
    if target.exists():
        with contextlib.closing(sqlite3.connect(target)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            old.execute("PRAGMA journal_mode = DELETE")
        target.replace(target.with_name(target.name + ".before-restore"))
    fresh.replace(target)


def _check(copy: sqlite3.Connection, path: Path) -> None:
    try:
        (found,) = copy.execute("PRAGMA integrity_check").fetchone()
        copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.DatabaseError as error:
        raise CopyError(f"{path}: is not a database of Wegwijs ({error})") from None
    if found != "ok":
        raise CopyError(f"{path}: is damaged ({found})")
