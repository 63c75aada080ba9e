"""What a database raises when it is in trouble, and whether to try again; it must not open, try or wait."""

from __future__ import annotations

import sqlite3
from typing import Final

import sqlalchemy as sa

_FAULTS: Final = (
    sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.InternalError, sqlite3.OperationalError,
)  # fmt: skip


def raised(*, sqlite: bool) -> tuple[type[Exception], ...]:
    """What a database raises when it is in trouble, by SQLAlchemy and by the statements of `hot`."""
    if sqlite:
        return _FAULTS
    import psycopg  # only where it is used: it is a tenth of a second of every start

    return (*_FAULTS, psycopg.OperationalError, psycopg.InternalError, psycopg.InterfaceError, psycopg.ProgrammingError)


_STATES: Final = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53100", "53200", "53300"}
"""PostgreSQL: serialisation, deadlock, lock, shutdown, disk full, memory, connections."""

CONFLICTS: Final = {"40001", "40P01"}
"""Serialisation and deadlock."""

_WORDS: Final = ("locked", "busy", "connection", "full", "i/o error", "unable to open", "closed", "recovery")


def name(error: BaseException) -> str:
    """The kind of error, for the log: the driver's own name of it, without what it says."""
    return type(getattr(error, "orig", None) or error).__name__


def again(error: BaseException) -> bool:
    """Whether the same work may succeed later: locked, in conflict, full, or the connection went away."""
    if isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated:
        return True
    origin = getattr(error, "orig", None) or error
    state = getattr(origin, "sqlstate", None)
    if state is not None:
        return state in _STATES or state.startswith("08")
    text = str(origin).lower()
    return any(word in text for word in _WORDS)
