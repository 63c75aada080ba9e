"""Brings a database to the tables of this release, or says that it is not there; it must not touch what is in them.

`run` asks `is_current` (no alembic: it costs half a second at each start); `wegwijs migrate` and `demo` call
`upgrade`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

HEAD: Final = "0004"
"""The newest step in migrations/versions (a test compares them)."""

_FOLDER: Final = Path(__file__).with_name("migrations")


def revision(db: sa.Connection) -> str | None:
    """The step that a database is at; None: empty."""
    if not sa.inspect(db).has_table("alembic_version"):
        return None
    found: str | None = db.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def is_current(db: sa.Connection) -> bool:
    """Whether the tables are those of this release."""
    return revision(db) == HEAD


def config(db: sa.Connection) -> Any:
    """Alembic's configuration on an open connection."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(_FOLDER))
    made.attributes["connection"] = db
    return made


def upgrade(db: sa.Connection) -> None:
    """Run all steps that are missing, in the transaction of `db`."""
    from alembic import command

    command.upgrade(config(db), "head")
