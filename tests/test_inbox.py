"""What came in: once, in the order of its lane, and set aside only for its own faults."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import inbox
from bot.inbox import RawUpdate
from bot.storage import tables
from bot.storage.database import Database

NOW = dt.datetime(2030, 1, 7, 8, tzinfo=dt.UTC)
LATER = NOW + inbox.STALE + dt.timedelta(seconds=1)


def came(number: int, lane: str) -> RawUpdate:
    return RawUpdate(number, lane, f'{{"update_id": {number}}}')


def tries(db: sa.Connection) -> list[int]:
    return list(db.scalars(sa.select(tables.inbox.c.tries).order_by(tables.inbox.c.update_id)))


def taken(db: sa.Connection, now: dt.datetime, **given: object) -> list[int]:
    return [row.update_id for row in inbox.take(db, now, limit=64, **given)]  # type: ignore[arg-type]


def test_an_update_is_taken_in_once_and_a_lane_goes_one_by_one(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        assert inbox.store(db, [came(1, "chat:1"), came(2, "chat:1"), came(3, "chat:2")], NOW) == 3
        assert inbox.store(db, [came(2, "chat:1"), came(4, "chat:2")], NOW) == 1
        assert taken(db, NOW) == [1, 3]
        assert taken(db, NOW) == [], "who works at it is not disturbed"

    database.run_now(story)


def test_a_process_that_dies_with_many_at_work_blames_none_of_them(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        inbox.store(db, [came(number, f"chat:{number}") for number in range(1, 6)], NOW)
        assert taken(db, NOW) == [1, 2, 3, 4, 5]
        assert tries(db) == [1, 1, 1, 1, 1]
        now = LATER
        for death in range(2, inbox.DEATHS_MOST + 2):  # it dies again and again: now only one at a time is suspected
            assert taken(db, now) == [1]
            assert tries(db) == [death, 1, 1, 1, 1]
            now += inbox.STALE + dt.timedelta(seconds=1)
        assert tries(db)[0] > inbox.DEATHS_MOST, "the one whose turn kills the process is found"
        inbox.park(db, db.scalar(sa.select(tables.inbox.c.id).where(tables.inbox.c.update_id == 1)) or 0, "kills")
        assert taken(db, now, suspects=False) == []
        assert taken(db, now) == [2]

    database.run_now(story)


def test_a_turn_that_could_not_begin_was_no_try(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        inbox.store(db, [came(1, "chat:1")], NOW)
        for _ in range(9):
            (row,) = inbox.take(db, NOW, limit=64)
            assert row.tries == 1
            inbox.not_begun(db, row.id)

    database.run_now(story)


def test_what_another_process_has_done_is_not_parked(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        inbox.store(db, [came(1, "chat:1")], NOW)
        [row] = inbox.take(db, NOW, limit=1)
        inbox.done(db, row.id)
        assert not inbox.park(db, row.id, "unreadable")
        assert taken(db, LATER) == []
        assert db.scalar(sa.select(tables.inbox.c.state)) == "done"

    database.run_now(story)
