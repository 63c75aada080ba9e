"""Who takes part: the person herself or a child of hers, with name and age; it must not know who has a place.

The same name, written in any case or width, is the same child.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from bot import people
from bot.programmes import Programme
from bot.storage import tables
from bot.storage.vault import blind_index, seal, unseal

NAME_MOST: Final = 40
AGE_MOST: Final = 120
_ADULT: Final = 18
_P: Final = tables.participant


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who takes part: the person herself or a child of hers. `person_id` None: enrolled on paper."""

    id: int
    person_id: str | None
    child: bool
    name: str
    age: int | None


def fold(name: str) -> str:
    """A name as it is compared: case, width and spaces make no difference."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def asks_age(programme: Programme) -> bool:
    """Whether the age must be asked."""
    return programme.who == "ages"


def misfit(programme: Programme, age: int | None) -> bool:
    """Whether a known age does not fit a programme; an age that is not known never does."""
    if age is None:
        return False
    match programme.who:
        case "adults" | "women":
            return age < _ADULT
        case "ages":
            return not (programme.age_from or 0) <= age <= (programme.age_to or AGE_MOST)
    return False


def _participant(db: sa.Connection, row: Any) -> Participant:
    return Participant(row.id, row.person_id, row.child, unseal(db, row.name_sealed), row.age)


def participants(db: sa.Connection, person_id: str) -> list[Participant]:
    """Everybody whom a person has named, in the order in which she did."""
    rows = db.execute(sa.select(_P).where(_P.c.person_id == person_id).order_by(_P.c.id))
    return [_participant(db, row) for row in rows]


def participant(db: sa.Connection, participant_id: int, person_id: str) -> Participant | None:
    """One of hers; None for somebody else's."""
    row = db.execute(sa.select(_P).where(_P.c.id == participant_id, _P.c.person_id == person_id)).first()
    return None if row is None else _participant(db, row)


def add_participant(
    db: sa.Connection, person_id: str | None, name: str, *, child: bool, age: int | None, now: dt.datetime
) -> tuple[Participant, bool]:
    """Keep a name; True: it is new. The same name again is the same child. `person_id` None: enrolled on paper."""
    index = blind_index(db, "participant", fold(name))
    if person_id is not None:
        people.lock(db, person_id)
        row = db.execute(sa.select(_P).where(_P.c.person_id == person_id, _P.c.name_index == index)).first()
        if row is not None:
            return _participant(db, row), False
    values = {"child": child, "name_sealed": seal(db, name), "name_index": index, "age": age, "added_at": now}
    row = db.execute(sa.insert(_P).values(person_id=person_id, **values).returning(_P)).one()
    return _participant(db, row), True


def set_age(db: sa.Connection, participant_id: int, age: int) -> None:
    """Keep an age that was told."""
    db.execute(sa.update(_P).where(_P.c.id == participant_id).values(age=age))
