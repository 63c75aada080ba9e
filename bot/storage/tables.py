"""All tables, in the words of docs/glossary.md; it must hold no rule and no query.

Instants are aware UTC (`UtcDateTime`). A column named `…_sealed` holds text that only `vault.unseal` can read.
The Telegram id of a person lives in `address` alone; everything else refers to the random person id.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

METADATA: Final = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class UtcDateTime(sa.types.TypeDecorator[dt.datetime]):
    """An aware UTC instant on both databases: SQLite would give back naive digits."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Aware in; naive local time is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            msg = f"{value!r} has no time zone; the database takes aware instants only"
            raise ValueError(msg)
        value = value.astimezone(dt.UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Aware UTC out."""
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def _id() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, sa.Identity(always=False), primary_key=True)


def _at(name: str, *, null: bool = True) -> sa.Column[dt.datetime]:
    return sa.Column(name, UtcDateTime, nullable=null)


def _person(name: str = "person_id", *, null: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(32), sa.ForeignKey("person.id"), nullable=null, index=True)


def _big(name: str, *, null: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _where(name: str, *columns: str, state: str, also: str = "") -> sa.Index:
    """An index of the rows in one state only; a query must name the state as a literal, or it is not used."""
    where = sa.text(f"state = '{state}'" + (f" AND {also}" if also else ""))
    return sa.Index(name, *columns, sqlite_where=where, postgresql_where=where)


# --- in and out ---------------------------------------------------------------------------------------------------

inbox = sa.Table(
    "inbox",
    METADATA,
    _id(),
    sa.Column("update_id", sa.BigInteger, nullable=False, unique=True),
    sa.Column("lane", sa.LargeBinary, nullable=False),  # a keyed hash: a chat's id is personal
    _at("received_at", null=False),
    sa.Column("state", sa.String(8), nullable=False),  # waiting, done, parked
    sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
    sa.Column("raw_sealed", sa.LargeBinary),
    sa.Column("fault", sa.String(120)),
    _at("taken_at"),  # when a turn of it last began; null: not yet, or given back
    _where("ix_inbox_waiting", "lane", "update_id", state="waiting"),
    _where("ix_inbox_parked", "id", state="parked"),
)

lane = sa.Table(
    "lane",
    METADATA,
    sa.Column("lane", sa.LargeBinary, primary_key=True),  # locked while a turn of it runs (PostgreSQL)
)

lease = sa.Table(
    "lease",
    METADATA,
    sa.Column("name", sa.String(16), primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),  # grows with each holder: what an older one did is refused
    _at("until", null=False),  # by the clock of the database
)

outbox = sa.Table(
    "outbox",
    METADATA,
    _id(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("lane", sa.String(64), nullable=False),  # person:<id> · staff · case:<id>
    _person(null=True),
    sa.Column("case_id", sa.BigInteger, sa.ForeignKey("case.id"), index=True),
    sa.Column("key", sa.String(120), unique=True),
    sa.Column("body_sealed", sa.LargeBinary),
    sa.Column("state", sa.String(12), nullable=False),
    _at("due_at", null=False),
    _at("expires_at"),
    _at("planned_at", null=False),
    _at("attempted_at"),
    _at("sent_at"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("copies", sa.Integer, nullable=False, server_default="0"),  # attempts whose outcome stayed unknown
    sa.Column("put_off", sa.Boolean, nullable=False, server_default=sa.false()),  # no longer holds its lane
    _big("message_id"),
    sa.Column("fault", sa.String(120)),
    _big("lease"),  # the number of the lease under which it is sending
    _where("ix_outbox_planned", "priority", "due_at", "id", state="planned"),
    _where("ix_outbox_sending", "id", state="sending"),
    _where("ix_outbox_lane", "lane", "priority", "id", state="planned"),
    _where("ix_outbox_tried", "lane", "priority", "id", state="planned", also="attempts > 0"),
)

# --- people -------------------------------------------------------------------------------------------------------

person = sa.Table(
    "person",
    METADATA,
    sa.Column("id", sa.String(32), primary_key=True),
    _at("first_seen_at", null=False),
    _at("last_seen_at", null=False),
    sa.Column("language", sa.String(8)),  # chosen; null: not yet
    sa.Column("phone_language", sa.String(8)),
    sa.Column("role", sa.String(8), nullable=False, server_default="new"),  # new, helper
    sa.Column("state", sa.String(32), nullable=False, server_default=""),
    sa.Column("state_sealed", sa.LargeBinary),
    _at("muted_at"),  # /stop: no reminders, no news
    _at("unreachable_at"),
    _at("flood_told_at"),
)

address = sa.Table(
    "address",
    METADATA,
    sa.Column("person_id", sa.String(32), sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("blind_index", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("telegram_sealed", sa.LargeBinary, nullable=False),
)

erased = sa.Table(
    "erased",
    METADATA,
    sa.Column("blind_index", sa.LargeBinary, primary_key=True),
    _at("erased_at", null=False),
)

staff_member = sa.Table(
    "staff_member",
    METADATA,
    sa.Column("person_id", sa.String(32), sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("name_sealed", sa.LargeBinary),
    sa.Column("status", sa.String(16), nullable=False),  # creator, administrator, member, left …
    _at("checked_at", null=False),
)

card_shown = sa.Table(
    "card_shown",
    METADATA,
    sa.Column("person_id", sa.String(32), sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("kind", sa.String(16), primary_key=True),
    _at("shown_at", null=False),
)

kept_file = sa.Table(
    "kept_file",
    METADATA,
    _id(),
    _person(),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("file_sealed", sa.LargeBinary, nullable=False),
    _at("kept_at", null=False),
)

# --- what was asked -----------------------------------------------------------------------------------------------

question = sa.Table(
    "question",
    METADATA,
    _id(),
    sa.Column("text_sealed", sa.LargeBinary, nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("topic", sa.String(40)),
    sa.Column("outcome", sa.String(16), nullable=False),  # unknown, unsure, not-helped
    _at("asked_at", null=False),
)

asked = sa.Table(
    "asked",
    METADATA,
    sa.Column("topic", sa.String(40), primary_key=True),
    sa.Column("language", sa.String(8), primary_key=True),
    sa.Column("month", sa.String(7), primary_key=True),
    sa.Column("answered", sa.Integer, nullable=False, server_default="0"),
    sa.Column("helped", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_helped", sa.Integer, nullable=False, server_default="0"),
)

example = sa.Table(
    "example",
    METADATA,
    _id(),
    sa.Column("label", sa.String(40), nullable=False),
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("text", sa.String(200), nullable=False),  # in the words of staff, never somebody's own
    _person("added_by", null=True),
    _at("added_at", null=False),
)

local_value = sa.Table(
    "local_value",
    METADATA,
    _id(),
    sa.Column("name", sa.String(60), nullable=False, index=True),
    sa.Column("value", sa.Text, nullable=False),
    _person("set_by", null=True),
    _at("set_at", null=False),
)

# --- programmes, sessions, bookings -------------------------------------------------------------------------------

programme = sa.Table(
    "programme",
    METADATA,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("topic", sa.String(40), nullable=False),
    sa.Column("emoji", sa.String(16), nullable=False, server_default="📅"),
    sa.Column("title", sa.JSON, nullable=False),  # {language: words}
    sa.Column("who", sa.String(16), nullable=False),  # everybody, adults, women, ages
    sa.Column("age_from", sa.Integer),
    sa.Column("age_to", sa.Integer),
    sa.Column("discreet", sa.Boolean, nullable=False),
    sa.Column("place", sa.JSON, nullable=False),  # {language: words}; {}: not known
    sa.Column("latitude", sa.Float),
    sa.Column("longitude", sa.Float),
    sa.Column("price", sa.JSON, nullable=False),  # {language: words}; {}: not known
    sa.Column("bring", sa.JSON, nullable=False),
    sa.Column("spoken", sa.String(8), nullable=False),  # language of the sessions, or "own"
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("remind_week", sa.Boolean, nullable=False),
    sa.Column("remind_day", sa.Integer, nullable=False),  # hours before
    sa.Column("remind_hours", sa.Integer, nullable=False),  # hours before; 0: none
    sa.Column("demo", sa.Boolean, nullable=False),
    _at("withdrawn_at"),
)

session = sa.Table(
    "session",
    METADATA,
    _id(),
    sa.Column("programme_id", sa.String(40), sa.ForeignKey("programme.id"), nullable=False, index=True),
    sa.Column("name", sa.String(40)),  # what the city's file calls it: a changed date is then a move
    sa.Column("local_start", sa.String(16), nullable=False),  # wall time, "YYYY-MM-DDTHH:MM"
    sa.Column("zone", sa.String(40), nullable=False),
    _at("starts_at", null=False),
    sa.Column("minutes", sa.Integer, nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("taken", sa.Integer, nullable=False, server_default="0"),  # booked and offered
    sa.Column("state", sa.String(10), nullable=False),  # planned, cancelled
    sa.Column("version", sa.Integer, nullable=False, server_default="0"),  # counts the moves
    _at("roster_posted_at"),
    sa.Index("ix_session_start", "state", "starts_at"),
    sa.CheckConstraint("taken >= 0 AND taken <= seats", name="seats"),
)

participant = sa.Table(
    "participant",
    METADATA,
    _id(),
    _person(null=True),  # null: enrolled on paper, not yet joined
    sa.Column("child", sa.Boolean, nullable=False),
    sa.Column("name_sealed", sa.LargeBinary, nullable=False),
    sa.Column("name_index", sa.LargeBinary, nullable=False),  # keyed hash of the folded name
    sa.Column("age", sa.Integer),
    _at("added_at", null=False),
    sa.UniqueConstraint("person_id", "name_index"),
)

booking = sa.Table(
    "booking",
    METADATA,
    _id(),
    sa.Column("session_id", sa.BigInteger, sa.ForeignKey("session.id"), nullable=False, index=True),
    sa.Column("participant_id", sa.BigInteger, sa.ForeignKey("participant.id"), nullable=False, index=True),
    _person(null=True),
    sa.Column("state", sa.String(10), nullable=False),  # booked, waiting, offered, cancelled, attended
    _at("booked_at", null=False),
    _at("changed_at", null=False),
    _at("offered_until"),
    _at("coming_at"),  # said "I am coming"
    _at("late_at"),  # said "I am late"
    sa.Column("cancelled_by", sa.String(10)),  # person, staff, erased, unanswered
    sa.UniqueConstraint("session_id", "participant_id"),
)

interest = sa.Table(
    "interest",
    METADATA,
    sa.Column("person_id", sa.String(32), sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("programme_id", sa.String(40), sa.ForeignKey("programme.id"), primary_key=True),
    _at("since", null=False),
    _at("told_at"),
)

join_code = sa.Table(
    "join_code",
    METADATA,
    sa.Column("code", sa.String(24), primary_key=True),
    sa.Column("participant_id", sa.BigInteger, sa.ForeignKey("participant.id"), nullable=False),
    sa.Column("programme_id", sa.String(40), sa.ForeignKey("programme.id"), nullable=False),
    _at("made_at", null=False),
    _at("used_at"),
)

# --- cases --------------------------------------------------------------------------------------------------------

case = sa.Table(
    "case",
    METADATA,
    _id(),
    _person(null=True),  # null once erased
    sa.Column("state", sa.String(10), nullable=False),  # open, claimed, answered, closed
    sa.Column("urgent", sa.Boolean, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),  # question, sessions, homeless, complaint, or a kind of danger
    sa.Column("language", sa.String(8), nullable=False),
    sa.Column("topic", sa.String(40)),
    _big("thread"),
    _big("card_message_id"),
    _person("claimed_by", null=True),
    _at("opened_at", null=False),
    _at("claimed_at"),
    _at("acknowledged_at"),
    _at("promised_at"),
    _at("answered_at"),
    _at("closed_at"),
    _at("alerted_at"),
    sa.Column("alerts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("not_meant", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("closed_by", sa.String(10)),  # staff, person, erased
    sa.Index("ix_case_state", "state", "urgent"),
)

case_entry = sa.Table(
    "case_entry",
    METADATA,
    _id(),
    sa.Column("case_id", sa.BigInteger, sa.ForeignKey("case.id"), nullable=False, index=True),
    sa.Column("who", sa.String(10), nullable=False),  # newcomer, staff
    sa.Column("words_sealed", sa.LargeBinary),
    _at("at", null=False),
    _big("topic_message_id"),  # the message in the staff group's topic
    _big("chat_message_id"),  # the message in the newcomer's chat
    sa.Column("state", sa.String(10), nullable=False, server_default=""),  # staff: planned, sent, undone, asking
    sa.Index("ix_case_entry_topic_message", "case_id", "topic_message_id"),
)

# What the process notes for itself: the moved staff chat, the last poll, demo marks.
note = sa.Table(
    "note",
    METADATA,
    sa.Column("name", sa.String(40), primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)
