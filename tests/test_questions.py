"""What was asked and not answered: grouped, never shown when it points at somebody; what staff teach."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from bot import people, questions
from bot.questions import NotTaughtError
from bot.storage.database import Database
from bot.topics import Pack

NOW = dt.datetime(2027, 3, 1, 11, tzinfo=dt.UTC)


def writes(db: sa.Connection, language: str, count: int, *, first: int = 1, at: dt.datetime = NOW) -> None:
    for number in range(first, first + count):
        people.meet(db, number, language, at)


def asks(db: sa.Connection, language: str, *texts: str, at: dt.datetime = NOW, topic: str | None = None) -> None:
    for text in texts:
        questions.note_question(db, text, language, topic, "unknown", now=at)


def test_likes_stand_together_most_first(database: Database, pack: Pack) -> None:
    def play(db: sa.Connection) -> None:
        writes(db, "en", 5)
        asks(db, "en", "how do I cook rice", "what is the weather tomorrow", "weather tomorrow", "the weather tomorrow")
        found = questions.overview(db, pack, NOW)
        assert [(one.count, one.text) for one in found.asked["en"]] == [
            (3, "weather tomorrow"), (1, "how do I cook rice"),
        ]  # fmt: skip

    database.run_now(play)


@pytest.mark.parametrize(("people_who_wrote", "shown"), [(4, False), (5, True)])
def test_a_language_that_few_wrote_in_is_only_counted(
    database: Database, pack: Pack, people_who_wrote: int, shown: bool
) -> None:
    def play(db: sa.Connection) -> None:
        writes(db, "uk", people_who_wrote)
        asks(db, "uk", "яка завтра погода")
        found = questions.overview(db, pack, NOW)
        assert ("uk" in found.asked) is shown
        assert dict(found.few) == ({} if shown else {"uk": 1})

    database.run_now(play)


def test_who_wrote_longer_ago_does_not_make_the_others_invisible(database: Database, pack: Pack) -> None:
    def play(db: sa.Connection) -> None:
        writes(db, "uk", 20, at=NOW - dt.timedelta(days=8))
        writes(db, "uk", 2, first=100)
        asks(db, "uk", "яка завтра погода")
        asks(db, "uk", "стара тема", at=NOW - dt.timedelta(days=8))
        assert dict(questions.overview(db, pack, NOW).few) == {"uk": 1}

    database.run_now(play)


def test_the_week_is_posted_once_on_monday(database: Database) -> None:
    monday = dt.datetime(2027, 3, 1, 9, 0, tzinfo=dt.UTC)

    def due(db: sa.Connection, at: dt.datetime) -> bool:
        return questions.week_is_due(db, at)

    assert not database.run_now(lambda db: due(db, monday - dt.timedelta(minutes=1)))
    assert database.run_now(lambda db: due(db, monday))
    assert not database.run_now(lambda db: due(db, monday + dt.timedelta(hours=3)))
    assert not database.run_now(lambda db: due(db, monday + dt.timedelta(days=1)))
    assert database.run_now(lambda db: due(db, monday + dt.timedelta(days=7, hours=2)))


@pytest.mark.parametrize(
    ("label", "language", "text", "reason"),
    [
        ("nothing", "en", "is it sunny", questions.LABEL),
        ("library", "xx", "is it sunny", questions.LANGUAGE),
        ("library", "en", "", questions.LENGTH),
        ("library", "en", "?!", questions.LENGTH),
        ("library", "en", "x" * 121, questions.LENGTH),
        ("library", "en", "write me at ann@example.org", questions.PERSONAL),
        ("library", "en", "call 0470 12 34 56", questions.PERSONAL),
        ("library", "en", "Where can I borrow a book about trains", questions.COPY),
        ("library", "en", "where can i borrow a book about trains??", questions.COPY),
    ],
)
def test_what_is_not_taught(
    database: Database, pack: Pack, label: str, language: str, text: str, reason: str
) -> None:
    def play(db: sa.Connection) -> None:
        asks(db, "en", "where can I borrow a book about trains")
        with pytest.raises(NotTaughtError, match=f"^{reason}$"):
            questions.teach(db, pack, label, language, text, by=people.meet(db, 1, "nl", NOW).id, now=NOW)
        assert questions.taught(db) == []

    database.run_now(play)


def test_what_staff_teach_is_kept_in_order(database: Database, pack: Pack) -> None:
    def play(db: sa.Connection) -> None:
        by = people.meet(db, 1, "nl", NOW).id
        questions.teach(db, pack, "library", "nl", "  boek   over treinen ", by=by, now=NOW)
        questions.teach(db, pack, "human", "ar", "أريد شخصا", by=by, now=NOW)
        assert questions.taught(db) == [("boek over treinen", "library", "nl"), ("أريد شخصا", "human", "ar")]

    database.run_now(play)
