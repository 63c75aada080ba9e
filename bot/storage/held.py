"""A connection that one thread keeps from one transaction to the next; it must not be shared and not retry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa


class Held:
    """Begins transactions, one after the other. Taking a connection for each of them costs half as much again."""

    def __init__(self, engine: sa.Engine, lost: tuple[type[Exception], ...]) -> None:
        """`lost`: after these errors the connection may be gone, and is closed for good."""
        self._engine = engine
        self._lost = lost
        self._open: sa.Connection | None = None

    @contextlib.contextmanager
    def begin(self) -> Iterator[sa.Connection]:
        """A transaction, committed at the end. After any failure the next one gets its connection from the pool."""
        if self._open is None:
            self._open = self._engine.connect()
        try:
            with self._open.begin():
                yield self._open
        except BaseException as error:
            if isinstance(error, self._lost):
                self._open.invalidate()
            self.close()  # the pool sees to it that nothing of this is left
            raise

    def close(self) -> None:
        """Give the connection back."""
        held, self._open = self._open, None
        if held is not None:
            held.close()
