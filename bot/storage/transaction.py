"""What belongs to the open transaction and ends with it: values read once, and counts that are written last.

It must not outlive its transaction: pooled connections are used again, so `database` begins each with `begin`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

import sqlalchemy as sa

Value = TypeVar("Value")
Count = Callable[[sa.Connection, int], None]
_KEY: Final = "wegwijs_transaction"


@dataclass(slots=True)
class _Kept:
    once: dict[str, Any] = field(default_factory=dict)
    counts: dict[tuple[str, ...], tuple[Count, int]] = field(default_factory=dict)


def begin(db: sa.Connection) -> None:
    """Nothing is kept yet."""
    db.info[_KEY] = _Kept()


def once(db: sa.Connection, name: str, read: Callable[[sa.Connection], Value]) -> Value:
    """Read something that every turn asks for, once in a transaction of many turns. Who changes it calls `forget`."""
    kept: _Kept | None = db.info.get(_KEY)
    if kept is None:
        return read(db)
    if name not in kept.once:
        kept.once[name] = read(db)
    found: Value = kept.once[name]
    return found


def forget(db: sa.Connection, name: str) -> None:
    """It has changed: the next `once` reads it again."""
    kept: _Kept | None = db.info.get(_KEY)
    if kept is not None:
        kept.once.pop(name, None)


def count(db: sa.Connection, row: tuple[str, ...], add: Count) -> None:
    """Once more for this row; before the commit `add` is called with how often. `row` begins with its table's name.

    Counted last, each row once and in one order everywhere: two processes that counted the same rows in the order of
    their turns would wait for each other in a circle
    (https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-DEADLOCKS).
    """
    counts = db.info[_KEY].counts
    counts[row] = (add, counts[row][1] + 1 if row in counts else 1)


def savepoint(db: sa.Connection) -> Callable[[], None]:
    """What to call when what follows is undone: nothing of it is counted or remembered."""
    kept: _Kept = db.info[_KEY]
    counts = dict(kept.counts)

    def undone() -> None:
        kept.counts = counts
        kept.once.clear()

    return undone


def finish(db: sa.Connection) -> None:
    """Write what was counted; called right before the commit."""
    kept: _Kept = db.info.pop(_KEY)
    for _, (add, times) in sorted(kept.counts.items(), key=lambda one: one[0]):
        add(db, times)
