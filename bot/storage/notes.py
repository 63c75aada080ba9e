"""What the process notes for itself: a few named values; it must hold nothing personal."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from bot.storage import hot, tables

STAFF_CHAT: Final = "staff_chat"
"""Where the staff group went when Telegram made it a supergroup: "old>new"."""


_GET: Final = hot.Sql("SELECT value FROM note WHERE name = :name")


def get(db: sa.Connection, name: str) -> str | None:
    """The value of a note."""
    row = _GET.first(db, name=name)
    return None if row is None else str(row[0])


def put(db: sa.Connection, name: str, value: str) -> None:
    """Write a note anew."""
    written = db.execute(sa.update(tables.note).where(tables.note.c.name == name).values(value=value))
    if not written.rowcount:
        db.execute(sa.insert(tables.note).values(name=name, value=value))


def staff_chat(db: sa.Connection, configured: int | None) -> int | None:
    """The staff group as configured, or where it moved to since."""
    moved = get(db, STAFF_CHAT)
    if moved and configured is not None and moved.startswith(f"{configured}>"):
        return int(moved.partition(">")[2])
    return configured


def move_staff_chat(db: sa.Connection, configured: int, new: int) -> None:
    """Remember that the staff group has a new id."""
    put(db, STAFF_CHAT, f"{configured}>{new}")
