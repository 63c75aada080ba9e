"""An index of the few deliveries that wait after a failure: they hold their lane, and every claim asks for them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    where = sa.text("state = 'planned' AND attempts > 0")
    op.create_index(
        'ix_outbox_tried', 'outbox', ['lane', 'priority', 'id'], unique=False, sqlite_where=where,
        postgresql_where=where,
    )
