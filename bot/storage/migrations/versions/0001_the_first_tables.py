"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('asked',
    sa.Column('topic', sa.String(length=40), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('month', sa.String(length=7), nullable=False),
    sa.Column('answered', sa.Integer(), server_default='0', nullable=False),
    sa.Column('helped', sa.Integer(), server_default='0', nullable=False),
    sa.Column('not_helped', sa.Integer(), server_default='0', nullable=False),
    sa.PrimaryKeyConstraint('topic', 'language', 'month', name=op.f('pk_asked'))
    )
    op.create_table('erased',
    sa.Column('blind_index', sa.LargeBinary(), nullable=False),
    sa.Column('erased_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('blind_index', name=op.f('pk_erased'))
    )
    op.create_table('inbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('update_id', sa.BigInteger(), nullable=False),
    sa.Column('lane', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('state', sa.String(length=8), nullable=False),
    sa.Column('tries', sa.Integer(), server_default='0', nullable=False),
    sa.Column('raw_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('fault', sa.String(length=120), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_inbox')),
    sa.UniqueConstraint('update_id', name=op.f('uq_inbox_update_id'))
    )
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.create_index('ix_inbox_waiting', ['state', 'id'], unique=False)

    op.create_table('note',
    sa.Column('name', sa.String(length=40), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_note'))
    )
    op.create_table('person',
    sa.Column('id', sa.String(length=32), nullable=False),
    sa.Column('first_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=True),
    sa.Column('phone_language', sa.String(length=8), nullable=True),
    sa.Column('role', sa.String(length=8), server_default='new', nullable=False),
    sa.Column('state', sa.String(length=32), server_default='', nullable=False),
    sa.Column('state_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('muted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('unreachable_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('flood_told_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person'))
    )
    op.create_table('programme',
    sa.Column('id', sa.String(length=40), nullable=False),
    sa.Column('topic', sa.String(length=40), nullable=False),
    sa.Column('emoji', sa.String(length=16), server_default='📅', nullable=False),
    sa.Column('title', sa.JSON(), nullable=False),
    sa.Column('who', sa.String(length=16), nullable=False),
    sa.Column('age_from', sa.Integer(), nullable=True),
    sa.Column('age_to', sa.Integer(), nullable=True),
    sa.Column('discreet', sa.Boolean(), nullable=False),
    sa.Column('place', sa.JSON(), nullable=False),
    sa.Column('latitude', sa.Float(), nullable=True),
    sa.Column('longitude', sa.Float(), nullable=True),
    sa.Column('price', sa.JSON(), nullable=False),
    sa.Column('bring', sa.JSON(), nullable=False),
    sa.Column('spoken', sa.String(length=8), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('remind_week', sa.Boolean(), nullable=False),
    sa.Column('remind_day', sa.Integer(), nullable=False),
    sa.Column('remind_hours', sa.Integer(), nullable=False),
    sa.Column('demo', sa.Boolean(), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme'))
    )
    op.create_table('question',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('text_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('topic', sa.String(length=40), nullable=True),
    sa.Column('outcome', sa.String(length=16), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_question'))
    )
    op.create_table('address',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('blind_index', sa.LargeBinary(), nullable=False),
    sa.Column('telegram_sealed', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_address_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_address')),
    sa.UniqueConstraint('blind_index', name=op.f('uq_address_blind_index'))
    )
    op.create_table('card_shown',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('shown_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_card_shown_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', 'kind', name=op.f('pk_card_shown'))
    )
    op.create_table('case',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('language', sa.String(length=8), nullable=False),
    sa.Column('topic', sa.String(length=40), nullable=True),
    sa.Column('thread', sa.BigInteger(), nullable=True),
    sa.Column('card_message_id', sa.BigInteger(), nullable=True),
    sa.Column('claimed_by', sa.String(length=32), nullable=True),
    sa.Column('opened_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('claimed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('acknowledged_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('promised_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('alerted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('alerts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('not_meant', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('closed_by', sa.String(length=10), nullable=True),
    sa.ForeignKeyConstraint(['claimed_by'], ['person.id'], name=op.f('fk_case_claimed_by_person')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_case_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case'))
    )
    with op.batch_alter_table('case', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_claimed_by'), ['claimed_by'], unique=False)
        batch_op.create_index(batch_op.f('ix_case_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_case_state', ['state', 'urgent'], unique=False)

    op.create_table('interest',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('programme_id', sa.String(length=40), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_interest_person_id_person')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_interest_programme_id_programme')),
    sa.PrimaryKeyConstraint('person_id', 'programme_id', name=op.f('pk_interest'))
    )
    op.create_table('kept_file',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('file_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('kept_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_kept_file_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_kept_file'))
    )
    with op.batch_alter_table('kept_file', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_kept_file_person_id'), ['person_id'], unique=False)

    op.create_table('local_value',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.String(length=60), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('set_by', sa.String(length=32), nullable=True),
    sa.Column('set_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['set_by'], ['person.id'], name=op.f('fk_local_value_set_by_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_local_value'))
    )
    with op.batch_alter_table('local_value', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_local_value_name'), ['name'], unique=False)
        batch_op.create_index(batch_op.f('ix_local_value_set_by'), ['set_by'], unique=False)

    op.create_table('participant',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=True),
    sa.Column('child', sa.Boolean(), nullable=False),
    sa.Column('name_sealed', sa.LargeBinary(), nullable=False),
    sa.Column('name_index', sa.LargeBinary(), nullable=False),
    sa.Column('age', sa.Integer(), nullable=True),
    sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_participant_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_participant')),
    sa.UniqueConstraint('person_id', 'name_index', name=op.f('uq_participant_person_id_name_index'))
    )
    with op.batch_alter_table('participant', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_participant_person_id'), ['person_id'], unique=False)

    op.create_table('session',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('programme_id', sa.String(length=40), nullable=False),
    sa.Column('name', sa.String(length=40), nullable=True),
    sa.Column('local_start', sa.String(length=16), nullable=False),
    sa.Column('zone', sa.String(length=40), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('taken', sa.Integer(), server_default='0', nullable=False),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('version', sa.Integer(), server_default='0', nullable=False),
    sa.Column('roster_posted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('taken >= 0 AND taken <= seats', name=op.f('ck_session_seats')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_session_programme_id_programme')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_session'))
    )
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_session_programme_id'), ['programme_id'], unique=False)
        batch_op.create_index('ix_session_start', ['state', 'starts_at'], unique=False)

    op.create_table('staff_member',
    sa.Column('person_id', sa.String(length=32), nullable=False),
    sa.Column('name_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('status', sa.String(length=16), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_staff_member_person_id_person')),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_staff_member'))
    )
    op.create_table('booking',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('session_id', sa.BigInteger(), nullable=False),
    sa.Column('participant_id', sa.BigInteger(), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=True),
    sa.Column('state', sa.String(length=10), nullable=False),
    sa.Column('booked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('offered_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('coming_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('late_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('cancelled_by', sa.String(length=10), nullable=True),
    sa.ForeignKeyConstraint(['participant_id'], ['participant.id'], name=op.f('fk_booking_participant_id_participant')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_booking_person_id_person')),
    sa.ForeignKeyConstraint(['session_id'], ['session.id'], name=op.f('fk_booking_session_id_session')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_booking')),
    sa.UniqueConstraint('session_id', 'participant_id', name=op.f('uq_booking_session_id_participant_id'))
    )
    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_booking_participant_id'), ['participant_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_booking_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_booking_session_id'), ['session_id'], unique=False)

    op.create_table('case_entry',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('case_id', sa.BigInteger(), nullable=False),
    sa.Column('who', sa.String(length=10), nullable=False),
    sa.Column('words_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('topic_message_id', sa.BigInteger(), nullable=True),
    sa.Column('chat_message_id', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.String(length=10), server_default='', nullable=False),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], name=op.f('fk_case_entry_case_id_case')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_case_entry'))
    )
    with op.batch_alter_table('case_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_case_entry_case_id'), ['case_id'], unique=False)
        batch_op.create_index('ix_case_entry_topic_message', ['case_id', 'topic_message_id'], unique=False)

    op.create_table('join_code',
    sa.Column('code', sa.String(length=24), nullable=False),
    sa.Column('participant_id', sa.BigInteger(), nullable=False),
    sa.Column('programme_id', sa.String(length=40), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['participant_id'], ['participant.id'], name=op.f('fk_join_code_participant_id_participant')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_join_code_programme_id_programme')),
    sa.PrimaryKeyConstraint('code', name=op.f('pk_join_code'))
    )
    op.create_table('outbox',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), sa.Identity(always=False), nullable=False),
    sa.Column('kind', sa.String(length=16), nullable=False),
    sa.Column('priority', sa.Integer(), nullable=False),
    sa.Column('lane', sa.String(length=64), nullable=False),
    sa.Column('person_id', sa.String(length=32), nullable=True),
    sa.Column('case_id', sa.BigInteger(), nullable=True),
    sa.Column('key', sa.String(length=120), nullable=True),
    sa.Column('body_sealed', sa.LargeBinary(), nullable=True),
    sa.Column('state', sa.String(length=12), nullable=False),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('planned_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False),
    sa.Column('copies', sa.Integer(), server_default='0', nullable=False),
    sa.Column('put_off', sa.Boolean(), server_default=sa.false(), nullable=False),
    sa.Column('message_id', sa.BigInteger(), nullable=True),
    sa.Column('fault', sa.String(length=120), nullable=True),
    sa.ForeignKeyConstraint(['case_id'], ['case.id'], name=op.f('fk_outbox_case_id_case')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_outbox_person_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox')),
    sa.UniqueConstraint('key', name=op.f('uq_outbox_key'))
    )
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_outbox_case_id'), ['case_id'], unique=False)
        batch_op.create_index('ix_outbox_due', ['state', 'priority', 'due_at'], unique=False)
        batch_op.create_index('ix_outbox_lane', ['lane', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_outbox_person_id'), ['person_id'], unique=False)



def downgrade() -> None:
    with op.batch_alter_table('outbox', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_outbox_person_id'))
        batch_op.drop_index('ix_outbox_lane')
        batch_op.drop_index('ix_outbox_due')
        batch_op.drop_index(batch_op.f('ix_outbox_case_id'))

    op.drop_table('outbox')
    op.drop_table('join_code')
    with op.batch_alter_table('case_entry', schema=None) as batch_op:
        batch_op.drop_index('ix_case_entry_topic_message')
        batch_op.drop_index(batch_op.f('ix_case_entry_case_id'))

    op.drop_table('case_entry')
    with op.batch_alter_table('booking', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_booking_session_id'))
        batch_op.drop_index(batch_op.f('ix_booking_person_id'))
        batch_op.drop_index(batch_op.f('ix_booking_participant_id'))

    op.drop_table('booking')
    op.drop_table('staff_member')
    with op.batch_alter_table('session', schema=None) as batch_op:
        batch_op.drop_index('ix_session_start')
        batch_op.drop_index(batch_op.f('ix_session_programme_id'))

    op.drop_table('session')
    with op.batch_alter_table('participant', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_participant_person_id'))

    op.drop_table('participant')
    with op.batch_alter_table('local_value', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_local_value_set_by'))
        batch_op.drop_index(batch_op.f('ix_local_value_name'))

    op.drop_table('local_value')
    with op.batch_alter_table('kept_file', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_kept_file_person_id'))

    op.drop_table('kept_file')
    op.drop_table('interest')
    with op.batch_alter_table('case', schema=None) as batch_op:
        batch_op.drop_index('ix_case_state')
        batch_op.drop_index(batch_op.f('ix_case_person_id'))
        batch_op.drop_index(batch_op.f('ix_case_claimed_by'))

    op.drop_table('case')
    op.drop_table('card_shown')
    op.drop_table('address')
    op.drop_table('question')
    op.drop_table('programme')
    op.drop_table('person')
    op.drop_table('note')
    with op.batch_alter_table('inbox', schema=None) as batch_op:
        batch_op.drop_index('ix_inbox_waiting')

    op.drop_table('inbox')
    op.drop_table('erased')
    op.drop_table('asked')
