"""What people asked and how it went: counted, kept sealed when it got no good answer, read by staff; no name is kept.

Texts of danger and of cases never come here. What staff teach (a sentence of their own words under a topic) lies in
`example` and is learnt with the pack; a text that somebody wrote never enters it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from bot import people
from bot.storage import hot, notes, tables, transaction
from bot.storage.vault import seal, unseal
from bot.topics import INTENTS, Pack
from bot.understanding.normalise import normalise

WEEK: Final = dt.timedelta(days=7)
FEWEST_WRITERS: Final = 5
"""With fewer people who wrote in a language this week, a text would point at somebody."""

TAUGHT_MOST: Final = 120
_ALIKE: Final = 0.35
_COPY: Final = 0.8
_GIVEN_UP: Final = dt.timedelta(hours=1)


_COUNT: Final = {
    column: hot.Sql(
        f"INSERT INTO asked (topic, language, month, {column}) VALUES (:topic, :language, :month, :times)"  # noqa: S608
        f" ON CONFLICT (topic, language, month) DO UPDATE SET {column} = asked.{column} + :times"
    )
    for column in ("answered", "helped", "not_helped")
}


def count(db: sa.Connection, topic: str, language: str, column: str, now: dt.datetime) -> None:
    """Add one to `answered`, `helped` or `not_helped` of a topic, language and month, at the end of the transaction."""
    month = f"{now:%Y-%m}"

    def add(db: sa.Connection, times: int) -> None:
        _COUNT[column].do(db, topic=topic, language=language, month=month, times=times)

    transaction.count(db, ("asked", topic, language, month, column), add)


_NOTE: Final = hot.Sql(
    "INSERT INTO question (text_sealed, language, topic, outcome, asked_at)"
    " VALUES (:text, :language, :topic, :outcome, :asked_at)"
)


def note_question(
    db: sa.Connection, text: str, language: str, topic: str | None, outcome: str, *, now: dt.datetime
) -> None:
    """Keep a question without a good answer, sealed, without who asked; `outcome`: unknown, unsure, not-helped."""
    _NOTE.do(
        db, text=seal(db, text), language=language, topic=topic, outcome=outcome, asked_at=hot.at(db, now)
    )  # fmt: skip


def times_asked(db: sa.Connection) -> dict[str, int]:
    """How often each topic was answered, ever."""
    rows = db.execute(
        sa.select(tables.asked.c.topic, sa.func.sum(tables.asked.c.answered)).group_by(tables.asked.c.topic)
    )
    return {topic: int(total) for topic, total in rows}


# --- what was asked and not answered ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions without a good answer that are alike: how many, one of them, and the topic that was nearest."""

    count: int
    text: str
    topic: str | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What a week showed. `asked`: language → groups, most first. `few`: languages with too few writers to show.

    `not_helped`: topic → how often an answer did not help this month. `given_up`: sign-ups begun and not ended.
    """

    asked: Mapping[str, Sequence[Asked]]
    few: Mapping[str, int]
    not_helped: Mapping[str, int]
    given_up: int

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to tell."""
        return not (self.asked or self.few or self.not_helped or self.given_up)


def overview(db: sa.Connection, pack: Pack, now: dt.datetime, *, signing: Iterable[str] = ()) -> Overview:
    """The week until `now`. `signing`: the states of somebody who is signing up."""
    table = tables.question
    rows = db.execute(
        sa.select(table).where(table.c.asked_at >= now - WEEK, table.c.asked_at <= now).order_by(table.c.id)
    ).all()
    texts: dict[str, list[tuple[str, str | None]]] = {}
    for row in rows:
        texts.setdefault(row.language, []).append((unseal(db, row.text_sealed), row.topic))
    writing = writers(db, pack, now)
    shown = {code for code in texts if writing[code] >= FEWEST_WRITERS}
    return Overview(
        asked={code: grouped(texts[code]) for code in pack.languages if code in shown},
        few={code: len(own) for code, own in texts.items() if code not in shown},
        not_helped=_not_helped(db, now),
        given_up=_given_up(db, now, signing),
    )


def writers(db: sa.Connection, pack: Pack, now: dt.datetime) -> Counter[str]:
    """How many people wrote this week, per language that they read."""
    person = tables.person
    rows = db.execute(
        sa.select(person.c.language, person.c.phone_language, sa.func.count())
        .where(person.c.last_seen_at >= now - WEEK)
        .group_by(person.c.language, person.c.phone_language)
    )
    found: Counter[str] = Counter()
    for chosen, phone, count in rows:
        found[people.choose(chosen, phone, pack.languages)] += count
    return found


def grouped(texts: Sequence[tuple[str, str | None]]) -> list[Asked]:
    """Texts (with the nearest topic) that are alike together, most first; the shortest stands for its group."""
    groups: list[tuple[set[str], list[tuple[str, str | None]]]] = []
    for text, topic in texts:
        letters = _letters(text)
        best = max(groups, key=lambda group: _likeness(letters, group[0]), default=None)
        if best is not None and _likeness(letters, best[0]) >= _ALIKE:
            best[1].append((text, topic))
        else:
            groups.append((letters, [(text, topic)]))
    found = []
    for _, own in groups:
        near = Counter(topic for _, topic in own if topic).most_common(1)
        found.append(Asked(len(own), min((text for text, _ in own), key=len), near[0][0] if near else None))
    return sorted(found, key=lambda one: -one.count)


def _letters(text: str) -> set[str]:
    plain = f" {normalise(text)} "
    return {plain[start : start + 3] for start in range(max(1, len(plain) - 2))}


def _likeness(one: set[str], other: set[str]) -> float:
    return len(one & other) / max(1, len(one | other))


def _not_helped(db: sa.Connection, now: dt.datetime) -> dict[str, int]:
    table = tables.asked
    rows = db.execute(
        sa.select(table.c.topic, sa.func.sum(table.c.not_helped))
        .where(table.c.month == f"{now:%Y-%m}", table.c.not_helped > 0)
        .group_by(table.c.topic)
    )
    return dict(sorted(((topic, int(times)) for topic, times in rows), key=lambda row: -row[1]))


def _given_up(db: sa.Connection, now: dt.datetime, signing: Iterable[str]) -> int:
    person = tables.person
    return int(
        db.scalar(
            sa.select(sa.func.count()).where(
                person.c.state.in_(list(signing)), person.c.last_seen_at >= now - WEEK,
                person.c.last_seen_at < now - _GIVEN_UP,
            )
        )
        or 0
    )  # fmt: skip


_POSTED: Final = "questions posted"


def week_is_due(db: sa.Connection, local: dt.datetime) -> bool:
    """Whether the overview of last week is to be posted: on Monday from 09:00, once; notes that it is."""
    week = f"{local:%G-%V}"
    if local.weekday() != 0 or local.hour < 9 or notes.get(db, _POSTED) == week:  # noqa: PLR2004
        return False
    notes.put(db, _POSTED, week)
    return True


# --- what staff teach ---------------------------------------------------------------------------------------------


class NotTaughtError(Exception):
    """A sentence is not taken; the argument is one of the reasons below."""


LABEL: Final = "label"
LANGUAGE: Final = "language"
LENGTH: Final = "length"
PERSONAL: Final = "personal"
COPY: Final = "copy"

_PERSONAL: Final = re.compile(r"\d{4,}|@|https?:|\+\d")


def teach(db: sa.Connection, pack: Pack, label: str, language: str, text: str, *, by: str, now: dt.datetime) -> None:
    """Keep a sentence as an example of a topic or intent; it is learnt with the next build.

    Raises NotTaughtError: unknown label or language, no sentence or a long one, something personal in it, or what
    somebody wrote instead of the own words of staff.
    """
    text = " ".join(text.split())
    if label not in pack.topics and label not in INTENTS:
        raise NotTaughtError(LABEL)
    if language not in pack.languages:
        raise NotTaughtError(LANGUAGE)
    if not normalise(text) or len(text) > TAUGHT_MOST:
        raise NotTaughtError(LENGTH)
    if _PERSONAL.search(text):
        raise NotTaughtError(PERSONAL)
    letters = _letters(text)
    for sealed in db.scalars(sa.select(tables.question.c.text_sealed)):
        if _likeness(letters, _letters(unseal(db, sealed))) >= _COPY:
            raise NotTaughtError(COPY)
    db.execute(sa.insert(tables.example).values(label=label, language=language, text=text, added_by=by, added_at=now))


def taught(db: sa.Connection) -> list[tuple[str, str, str]]:
    """All that staff taught, in order: (text, label, language)."""
    table = tables.example
    rows = db.execute(sa.select(table.c.text, table.c.label, table.c.language).order_by(table.c.id))
    return [(text, label, language) for text, label, language in rows]
