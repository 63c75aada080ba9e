"""Which of several processes leads (polls, ticks, delivers); it must not know what leading means.

One row with a number that grows with each holder. On PostgreSQL it lasts ten seconds and is renewed every three; the
number stands in every claim, so that a process that was asleep finds its claims refused. No session advisory locks:
they vanish on failover and behind poolers. On SQLite the lock file beside the database already lets in one process.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import sqlalchemy as sa

from bot.storage import hot

LASTS: Final = 10.0
"""Seconds that a lease holds without being renewed."""

RENEW_EVERY: Final = 3.0

_FAR: Final = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)

_MAKE = hot.Sql(
    "INSERT INTO lease (name, number, until) VALUES ('leader', 0, :long_ago) ON CONFLICT (name) DO NOTHING"
)
_TAKE = hot.Sql(
    sqlite="UPDATE lease SET number = number + 1, until = :until WHERE name = 'leader' RETURNING number",
    postgresql="UPDATE lease SET number = number + 1, until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE name = 'leader' AND until < clock_timestamp() RETURNING number",
)
_RENEW = hot.Sql(
    "UPDATE lease SET until = clock_timestamp() + make_interval(secs => :seconds)"
    " WHERE name = 'leader' AND number = :number AND until > clock_timestamp()"
)
_RELEASE = hot.Sql("UPDATE lease SET until = :long_ago WHERE name = 'leader' AND number = :number")
_HOLDS = hot.Sql(
    "SELECT 1 FROM lease WHERE name = 'leader' AND number = :number AND until > clock_timestamp() FOR SHARE"
)


def take(db: sa.Connection) -> int | None:
    """Become the leader if nobody is; the number of the lease, or None."""
    long_ago = hot.at(db, dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
    _MAKE.do(db, long_ago=long_ago)
    row = _TAKE.first(db, until=hot.at(db, _FAR)) if hot.is_sqlite(db) else _TAKE.first(db, seconds=LASTS)
    return None if row is None else int(row[0])


def renew(db: sa.Connection, number: int) -> bool:
    """Hold the lease for another ten seconds; False: it is lost."""
    return hot.is_sqlite(db) or _RENEW.do(db, number=number, seconds=LASTS) == 1


def release(db: sa.Connection, number: int) -> None:
    """Let the next one lead at once."""
    _RELEASE.do(db, number=number, long_ago=hot.at(db, dt.datetime(2000, 1, 1, tzinfo=dt.UTC)))


def holds(db: sa.Connection, number: int) -> bool:
    """Whether this lease still holds; nobody else can take it until this transaction ends."""
    return hot.is_sqlite(db) or _HOLDS.first(db, number=number) is not None
