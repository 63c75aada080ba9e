"""Statements that every update needs, as SQL text; it must hold no transaction and no rule.

SQLAlchemy owns the connection and the transaction; building and compiling a statement costs more than the database
does, so the few that stand in the way of every update are text. Everything else is SQLAlchemy Core.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

Row = tuple[Any, ...]


class Sql:
    """One statement, written with `:name` for values; where the databases differ, one text for each."""

    __slots__ = ("postgresql", "sqlite")

    def __init__(self, text: str = "", *, sqlite: str = "", postgresql: str = "") -> None:
        self.sqlite = sqlite or text
        self.postgresql = re.sub(r":(\w+)", r"%(\1)s", postgresql or text)

    def rows(self, db: sa.Connection, **values: Any) -> list[Row]:
        """Run it; all rows, in the order of its columns."""
        raw: Any = db.connection.dbapi_connection
        found: list[Row] = raw.execute(self.sqlite if is_sqlite(db) else self.postgresql, values).fetchall()
        return found

    def first(self, db: sa.Connection, **values: Any) -> Row | None:
        """Run it; the first row or None."""
        raw: Any = db.connection.dbapi_connection
        found: Row | None = raw.execute(self.sqlite if is_sqlite(db) else self.postgresql, values).fetchone()
        return found

    def do(self, db: sa.Connection, **values: Any) -> int:
        """Run it; how many rows it changed."""
        raw: Any = db.connection.dbapi_connection
        count: int = raw.execute(self.sqlite if is_sqlite(db) else self.postgresql, values).rowcount
        return count


def is_sqlite(db: sa.Connection) -> bool:
    """Which of the two databases this is."""
    return db.dialect.name == "sqlite"


def at(db: sa.Connection, instant: dt.datetime | None) -> Any:
    """An aware instant as this database takes it (`tables.UtcDateTime`)."""
    if instant is None or not is_sqlite(db):
        return instant
    # Two instants an hour apart are equal as keys when clocks go back and only `fold` tells them apart: UTC first.
    return _text(instant if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC))


@functools.lru_cache(maxsize=16)  # a turn has one time, and writes it in many rows
def _text(instant: dt.datetime) -> str:
    return instant.isoformat(" ", "microseconds")[:26]  # without +00:00


def when(value: Any) -> dt.datetime | None:
    """The aware instant again."""
    if value is None:
        return None
    if isinstance(value, str):
        return dt.datetime.fromisoformat(value).replace(tzinfo=dt.UTC)
    instant: dt.datetime = value.astimezone(dt.UTC)
    return instant


def listed(db: sa.Connection, values: Collection[Any]) -> Any:
    """A list of values: for `IN (SELECT value FROM json_each(:x))` on SQLite, `= ANY(:x)` on PostgreSQL."""
    return json.dumps(list(values)) if is_sqlite(db) else list(values)
