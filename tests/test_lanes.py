"""Order in a lane of the outbox: what was tried goes before what is behind it, however long that has been due."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from bot import departures, outbox
from bot.message import say
from bot.storage.database import Database

NOW = dt.datetime(2030, 1, 7, 8, tzinfo=dt.UTC)
SOON = NOW + dt.timedelta(seconds=2)


def waiting(db: sa.Connection, now: dt.datetime) -> list[int]:
    return [one.id for one in departures.find_due(db, now)]


def test_what_was_tried_goes_first_again(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        first, second = (outbox.plan(db, "answer", say(words), now=NOW, to="chat:1") for words in ("one", "two"))
        other = outbox.plan(db, "answer", say("three"), now=NOW, to="chat:2")
        assert first is not None
        assert departures.claim(db, [first], NOW, 1) == {first}
        departures.put_off(db, first, SOON, now=NOW, fault="NotSentError")
        assert waiting(db, NOW) == [other], "the one behind it would overtake"
        assert waiting(db, SOON) == [other, first], "the one that was due for longer would overtake"
        assert departures.claim(db, [first], SOON, 1) == {first}
        departures.mark_sent(db, {first: 7}, 1, SOON)
        assert waiting(db, SOON) == [second, other]

    database.run_now(story)


def test_what_waits_long_holds_nobody(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        first, second = (outbox.plan(db, "answer", say(words), now=NOW, to="chat:1") for words in ("one", "two"))
        assert first is not None
        departures.claim(db, [first], NOW, 1)
        departures.put_off(db, first, NOW + dt.timedelta(minutes=1), now=NOW, fault="NotSentError")
        assert waiting(db, NOW) == [second]

    database.run_now(story)


def test_an_attempt_and_its_outcome_belong_to_one_lease(database: Database) -> None:
    def story(db: sa.Connection) -> None:
        one = outbox.plan(db, "answer", say("one"), now=NOW, to="chat:1")
        assert one is not None
        assert departures.claim(db, [one], NOW, 1) == {one}
        assert departures.claim(db, [one], NOW, 2) == set()
        departures.mark_sent(db, {one: 7}, 2, NOW)
        assert departures.is_ours(db, one, 1), "another lease has stored its outcome"

    database.run_now(story)
