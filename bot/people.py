"""Who writes with us: persons, their language and reach; it must not know sessions or cases.

The Telegram id is read and written here alone.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import sqlalchemy as sa

from bot.storage import hot, tables
from bot.storage.vault import blind_index, seal, unseal

STAFF_STATUSES: Final = frozenset({"creator", "administrator", "member"})
ADMIN_STATUSES: Final = frozenset({"creator", "administrator"})
STAFF_CHECK_LASTS: Final = dt.timedelta(minutes=10)
STAFF_LANGUAGE: Final = "nl"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who writes with us. `language` is what they chose, `phone_language` only a hint."""

    id: str
    language: str | None
    phone_language: str | None
    role: str
    first_seen_at: dt.datetime
    last_seen_at: dt.datetime
    muted: bool
    unreachable: bool
    state: str = ""
    state_sealed: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class StaffMember:
    """A member of the staff group; `name` is what colleagues see."""

    person_id: str
    name: str
    admin: bool


def _person(row: Any) -> Person:
    return Person(
        id=row.id, language=row.language, phone_language=row.phone_language, role=row.role,
        first_seen_at=row.first_seen_at, last_seen_at=row.last_seen_at,
        muted=row.muted_at is not None, unreachable=row.unreachable_at is not None,
        state=row.state, state_sealed=row.state_sealed,
    )  # fmt: skip


def find(db: sa.Connection, telegram_id: int) -> Person | None:
    """The person with this Telegram id, if we know them."""
    row = db.execute(
        sa.select(tables.person)
        .join(tables.address, tables.address.c.person_id == tables.person.c.id)
        .where(tables.address.c.blind_index == _index(db, telegram_id))
    ).first()
    return None if row is None else _person(row)


def get(db: sa.Connection, person_id: str) -> Person | None:
    """The person with this id; None once erased."""
    row = db.execute(sa.select(tables.person).where(tables.person.c.id == person_id)).first()
    return None if row is None else _person(row)


_MEET: Final = hot.Sql(
    "UPDATE person SET last_seen_at = :now, unreachable_at = NULL, phone_language = COALESCE(:phone, phone_language)"
    " WHERE id = (SELECT person_id FROM address WHERE blind_index = :blind_index)"
    " RETURNING id, language, phone_language, role, first_seen_at, muted_at, state, state_sealed"
)


def meet(db: sa.Connection, telegram_id: int, phone_language: str | None, now: dt.datetime) -> Person:
    """The person with this Telegram id, made if new; their row is locked until the transaction ends."""
    found = _MEET.first(db, blind_index=_index(db, telegram_id), now=hot.at(db, now), phone=phone_language)
    if found is not None:
        first_seen_at = hot.when(found[4])
        assert first_seen_at is not None  # noqa: S101 (the column is NOT NULL)
        return Person(
            id=found[0], language=found[1], phone_language=found[2], role=found[3], first_seen_at=first_seen_at,
            last_seen_at=now, muted=found[5] is not None, unreachable=False, state=found[6], state_sealed=found[7],
        )  # fmt: skip
    person_id = secrets.token_hex(8)
    db.execute(
        sa.insert(tables.person).values(
            id=person_id, first_seen_at=now, last_seen_at=now, phone_language=phone_language
        )
    )
    db.execute(
        sa.insert(tables.address).values(
            person_id=person_id,
            blind_index=_index(db, telegram_id),
            telegram_sealed=seal(db, str(telegram_id)),
        )
    )
    person = get(db, person_id)
    assert person is not None  # noqa: S101 (made above, in this transaction)
    return person


def lock(db: sa.Connection, person_id: str) -> None:
    """Hold the person's row until the transaction ends (order of locks: person, session, case)."""
    db.execute(sa.select(tables.person.c.id).where(tables.person.c.id == person_id).with_for_update())


def telegram_id(db: sa.Connection, person_id: str) -> int | None:
    """Where to send; None once erased."""
    sealed = db.scalar(sa.select(tables.address.c.telegram_sealed).where(tables.address.c.person_id == person_id))
    return None if sealed is None else int(unseal(db, sealed))


@dataclass(frozen=True, slots=True)
class Reader:
    """Where and how to write to somebody: `chat` is their Telegram id."""

    chat: int
    language: str | None
    phone_language: str | None
    unreachable: bool


_READER: Final = hot.Sql(
    "SELECT a.telegram_sealed, p.language, p.phone_language, p.unreachable_at FROM address a"
    " JOIN person p ON p.id = a.person_id WHERE a.person_id = :person_id"
)


def reader(db: sa.Connection, person_id: str) -> Reader | None:
    """How to reach a person; None once erased."""
    row = _READER.first(db, person_id=person_id)
    return None if row is None else Reader(int(unseal(db, row[0])), row[1], row[2], row[3] is not None)


def language_of(person: Person, languages: tuple[str, ...]) -> str:
    """The language a person reads: chosen, else the phone's if we have it, else English."""
    return choose(person.language, person.phone_language, languages)


def choose(language: str | None, phone_language: str | None, languages: tuple[str, ...]) -> str:
    """Of our languages the chosen one, else the phone's, else English."""
    if language in languages:
        return str(language)
    hint = match_language(phone_language or "", languages)
    return hint or ("en" if "en" in languages else languages[0])


def match_language(code: str, languages: tuple[str, ...]) -> str | None:
    """Which of our languages a phone's language code ("uk-UA", "fa") means."""
    short = code.replace("_", "-").split("-")[0].lower()
    return next((ours for ours in languages if ours.lower() == code.lower() or ours.split("_")[0] == short), None)


def choose_language(db: sa.Connection, person_id: str, language: str) -> None:
    """Keep the language a person chose."""
    db.execute(sa.update(tables.person).where(tables.person.c.id == person_id).values(language=language))


def choose_role(db: sa.Connection, person_id: str, role: str) -> None:
    """Keep why somebody is here: "new" or "helper"."""
    db.execute(sa.update(tables.person).where(tables.person.c.id == person_id).values(role=role))


def mute(db: sa.Connection, person_id: str, at: dt.datetime | None) -> None:
    """No reminders and no news any more (`at`), or again (None)."""
    db.execute(sa.update(tables.person).where(tables.person.c.id == person_id).values(muted_at=at))


def mark_unreachable(db: sa.Connection, person_id: str, at: dt.datetime | None) -> None:
    """They blocked the bot (`at`), or wrote again (None)."""
    db.execute(sa.update(tables.person).where(tables.person.c.id == person_id).values(unreachable_at=at))


def load_state(db: sa.Connection, person_id: str) -> tuple[str, Mapping[str, Any]]:
    """The open question of a person and what is known so far."""
    person = get(db, person_id)
    return ("", {}) if person is None else state_of(db, person)


def state_of(db: sa.Connection, person: Person) -> tuple[str, Mapping[str, Any]]:
    """The same of a person just read."""
    if not person.state:
        return "", {}
    data: Mapping[str, Any] = json.loads(unseal(db, person.state_sealed) or "{}")
    return person.state, data


_STORE_STATE: Final = hot.Sql("UPDATE person SET state = :name, state_sealed = :sealed WHERE id = :person_id")


def store_state(db: sa.Connection, person_id: str, name: str, data: Mapping[str, Any]) -> None:
    """Keep the open question of a person ("" for none)."""
    sealed = seal(db, json.dumps(dict(data), ensure_ascii=False)) if data else None
    _STORE_STATE.do(db, person_id=person_id, name=name, sealed=sealed)


# --- staff --------------------------------------------------------------------------------------------------------


def note_member(db: sa.Connection, telegram_id: int, name: str, status: str, now: dt.datetime) -> str:
    """Keep what the channel says about somebody's place in the staff group. Returns the person id."""
    person = find(db, telegram_id) or meet(db, telegram_id, None, now)
    values = {"name_sealed": seal(db, name), "status": status, "checked_at": now}
    known = db.execute(
        sa.update(tables.staff_member).where(tables.staff_member.c.person_id == person.id).values(**values)
    )
    if not known.rowcount:
        db.execute(sa.insert(tables.staff_member).values(person_id=person.id, **values))
    return person.id


def staff_check(db: sa.Connection, telegram_id: int, now: dt.datetime) -> bool | None:
    """Whether somebody is in the staff group; None when it is not known, or not freshly (10 minutes)."""
    row = db.execute(
        sa.select(tables.staff_member.c.status, tables.staff_member.c.checked_at)
        .join(tables.address, tables.address.c.person_id == tables.staff_member.c.person_id)
        .where(tables.address.c.blind_index == _index(db, telegram_id))
    ).first()
    if row is None or now - row.checked_at > STAFF_CHECK_LASTS:
        return None
    return row.status in STAFF_STATUSES


def staff_member(db: sa.Connection, person_id: str) -> StaffMember | None:
    """A member of the staff group by person id."""
    row = db.execute(sa.select(tables.staff_member).where(tables.staff_member.c.person_id == person_id)).first()
    if row is None or row.status not in STAFF_STATUSES:
        return None
    return StaffMember(row.person_id, unseal(db, row.name_sealed), row.status in ADMIN_STATUSES)


def admins(db: sa.Connection) -> list[StaffMember]:
    """The admins of the staff group whom we know, for mentions."""
    rows = db.execute(sa.select(tables.staff_member).where(tables.staff_member.c.status.in_(ADMIN_STATUSES)))
    return [StaffMember(row.person_id, unseal(db, row.name_sealed), admin=True) for row in rows]


def _index(db: sa.Connection, telegram_id: int) -> bytes:
    return blind_index(db, "telegram", str(telegram_id))
