"""Files that were sent without a case: what finds them again for a day; it must never hold what is in a file."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

import sqlalchemy as sa

from bot.storage import tables
from bot.storage.vault import seal, unseal


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file's id, kind and caption, kept for a day."""

    kind: str
    file_id: str
    words: str
    album: str


def keep_file(
    db: sa.Connection, person_id: str, kind: str, file_id: str, words: str, *, album: str, now: dt.datetime
) -> bool:
    """Keep a file's id; False when another of the same album is kept already."""
    first = not album or all(one.album != album for one in kept_files(db, person_id))
    sealed = seal(db, json.dumps({"file": file_id, "words": words, "album": album}, ensure_ascii=False))
    db.execute(sa.insert(tables.kept_file).values(person_id=person_id, kind=kind, file_sealed=sealed, kept_at=now))
    return first


def kept_files(db: sa.Connection, person_id: str) -> list[KeptFile]:
    """The files of a person, oldest first."""
    table = tables.kept_file
    rows = db.execute(sa.select(table).where(table.c.person_id == person_id).order_by(table.c.id))
    found = []
    for row in rows:
        data = json.loads(unseal(db, row.file_sealed))
        found.append(KeptFile(row.kind, data["file"], data["words"], data["album"]))
    return found


def drop_files(db: sa.Connection, person_id: str) -> None:
    """Forget the files of a person."""
    db.execute(sa.delete(tables.kept_file).where(tables.kept_file.c.person_id == person_id))
