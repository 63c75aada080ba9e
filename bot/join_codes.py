"""Join codes: what links a child enrolled on paper with a person's chat; it must let a code work only once."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Final

import sqlalchemy as sa

from bot import participants, people, sessions
from bot.participants import Participant
from bot.storage import tables

_B: Final = tables.booking
_P: Final = tables.participant


def make_join_code(db: sa.Connection, participant_id: int, programme_id: str, now: dt.datetime) -> str:
    """A code for a deep link, with which a person takes a child enrolled on paper over; it works once."""
    code = secrets.token_hex(8)
    values = {"code": code, "participant_id": participant_id, "programme_id": programme_id, "made_at": now}
    db.execute(sa.insert(tables.join_code).values(**values))
    return code


def redeem(db: sa.Connection, person_id: str, code: str, now: dt.datetime) -> tuple[str, Participant] | None:
    """Give a child enrolled on paper to the person who opens the link: (programme id, child).

    A code works once; opened again by the same person it says the same; otherwise None. A child she had named
    already takes the places over, and one that it already had goes to the next who waits.
    """
    people.lock(db, person_id)
    codes = tables.join_code
    row = db.execute(sa.select(codes).where(codes.c.code == code)).first() if 0 < len(code) <= 24 else None  # noqa: PLR2004
    if row is None:
        return None
    if row.used_at is not None:
        mine = participants.participant(db, row.participant_id, person_id)
        return None if mine is None else (row.programme_id, mine)
    used = db.execute(sa.update(codes).where(codes.c.code == code, codes.c.used_at.is_(None)).values(used_at=now))
    if not used.rowcount:
        return None
    paper = db.execute(sa.select(_P).where(_P.c.id == row.participant_id)).one()
    same = db.execute(sa.select(_P).where(_P.c.person_id == person_id, _P.c.name_index == paper.name_index)).first()
    if same is None:
        db.execute(sa.update(_P).where(_P.c.id == paper.id).values(person_id=person_id))
        db.execute(sa.update(_B).where(_B.c.participant_id == paper.id).values(person_id=person_id))
        child = participants.participant(db, paper.id, person_id)
    else:
        _take_over(db, paper.id, same.id, person_id, now)
        # The code now stands for the child she knows, so that the same link says the same again.
        db.execute(sa.update(codes).where(codes.c.code == code).values(participant_id=same.id))
        child = participants.participant(db, same.id, person_id)
    return None if child is None else (row.programme_id, child)


def _take_over(db: sa.Connection, paper_id: int, child_id: int, person_id: str, now: dt.datetime) -> None:
    for one in sorted(sessions.of_participant(db, paper_id), key=lambda one: one.session.id):
        has = db.scalar(sa.select(_B.c.id).where(_B.c.session_id == one.session.id, _B.c.participant_id == child_id))
        if has is None:
            db.execute(sa.update(_B).where(_B.c.id == one.id).values(participant_id=child_id, person_id=person_id))
        else:
            sessions.release(db, one, "staff", now)
