"""Runs the steps on the connection that bot.storage.migrate gives; alembic loads this file by its name."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from bot.storage.tables import METADATA, UtcDateTime


def _render_item(kind: str, thing: Any, _context: AutogenContext) -> str | Literal[False]:
    """A step that is written by comparison names the plain type, since our own may change later."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    return False


def _compare_type(_context: Any, _inspected: Any, _column: Any, inspected_type: Any, own_type: Any) -> bool | None:
    """SQLite gives back types by affinity: an instant is an instant."""
    if isinstance(own_type, UtcDateTime) and isinstance(inspected_type, sa.DateTime):
        return False
    return None


connection: sa.Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=_render_item,
    compare_type=_compare_type,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
