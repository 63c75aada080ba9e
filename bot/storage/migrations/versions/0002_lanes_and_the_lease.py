"""Lanes and the lease of several processes, and indexes of only what is still to do."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def _of_state(name: str, table: str, columns: list[str], state: str) -> None:
    where = sa.text(f"state = '{state}'")
    op.create_index(name, table, columns, unique=False, sqlite_where=where, postgresql_where=where)


def upgrade() -> None:
    op.create_table('lane',
    sa.Column('lane', sa.LargeBinary(), nullable=False),
    sa.PrimaryKeyConstraint('lane', name=op.f('pk_lane'))
    )
    op.create_table('lease',
    sa.Column('name', sa.String(length=16), nullable=False),
    sa.Column('number', sa.BigInteger(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_lease'))
    )
    op.add_column('inbox', sa.Column('taken_at', sa.DateTime(timezone=True), nullable=True))
    op.drop_index('ix_inbox_waiting', table_name='inbox')
    _of_state('ix_inbox_waiting', 'inbox', ['lane', 'update_id'], 'waiting')
    _of_state('ix_inbox_parked', 'inbox', ['id'], 'parked')
    op.add_column('outbox', sa.Column('lease', sa.BigInteger(), nullable=True))
    op.drop_index('ix_outbox_due', table_name='outbox')
    op.drop_index('ix_outbox_lane', table_name='outbox')
    _of_state('ix_outbox_planned', 'outbox', ['priority', 'due_at', 'id'], 'planned')
    _of_state('ix_outbox_sending', 'outbox', ['id'], 'sending')
    _of_state('ix_outbox_lane', 'outbox', ['lane', 'priority', 'id'], 'planned')
