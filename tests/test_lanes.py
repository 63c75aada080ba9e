"""Order in a lane of the outbox: what was tried goes before what is behind it, however long that has been due."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import outbox
from bot.message import say
from bot.storage.database import Database

NOW = dt.datetime(2030, 1, 7, 8, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(seconds=2)


def waiting(db: sa.Connection, now: dt.datetime) -> list[int]:
    return [one.id for one in outbox.find_due(db, now)]


def test_what_was_tried_goes_first_again(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        first, second = (outbox.plan(db, "answer", say(words), now=NOW, to="chat:1") for words in ("one", "two"))
        other = outbox.plan(db, "answer", say("three"), now=NOW, to="chat:2")
        assert first is not None
        assert outbox.claim(db, [first], NOW, 1) == {first}
        outbox.put_off(db, first, SOON, now=NOW, fault="NotSentError")
        assert waiting(db, NOW) == [other], "the one behind it would overtake"
        assert waiting(db, SOON) == [other, first], "the one that was due for longer would overtake"
        assert outbox.claim(db, [first], SOON, 1) == {first}
        outbox.mark_sent(db, {first: 7}, 1, SOON)
        assert waiting(db, SOON) == [second, other]

    database.run_now(story)


def test_what_waits_long_holds_nobody(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        first, second = (outbox.plan(db, "answer", say(words), now=NOW, to="chat:1") for words in ("one", "two"))
        assert first is not None
        outbox.claim(db, [first], NOW, 1)
        outbox.put_off(db, first, NOW + dt.timedelta(minutes=1), now=NOW, fault="NotSentError")
        assert waiting(db, NOW) == [second]

    database.run_now(story)


def test_an_attempt_and_its_outcome_belong_to_one_lease(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        one = outbox.plan(db, "answer", say("one"), now=NOW, to="chat:1")
        assert one is not None
        assert outbox.claim(db, [one], NOW, 1) == {one}
        assert outbox.claim(db, [one], NOW, 2) == set()
        outbox.mark_sent(db, {one: 7}, 2, NOW)
        assert outbox.is_ours(db, one, 1), "another lease has stored its outcome"

    database.run_now(story)
