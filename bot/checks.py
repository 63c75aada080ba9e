"""Whether an installation can run, and what its city must still do; it must change nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bot import catalogs, loading, questions, topics
from bot.channel import ChannelError, Fault, StopPollingError
from bot.clock import Clock
from bot.language import placeholders
from bot.parts import make_database, make_engine, make_office, quiet_city
from bot.settings import PREFIX, Settings, SettingsError, missing
from bot.storage import migrate
from bot.storage.database import Database
from bot.topics import Pack, PackError

_REVIEWED: Final = ("cards.", "ready.")
_OLD_TABLES: Final = f"{PREFIX}DATABASE_URL: the tables are not those of this release; run `wegwijs migrate`"


async def faults(settings: Settings) -> list[Fault]:
    """Everything that is wrong, or should be known before a city goes live."""
    found = [Fault(line) for line in missing(settings, token=True)]
    found += _hours(settings)
    found += _content(settings)
    found += _database(settings)
    if settings.telegram_token.get_secret_value():
        found += await _telegram(settings)
    return found


def _hours(settings: Settings) -> list[Fault]:
    try:
        office = make_office(settings)
    except SettingsError as error:
        return [Fault(str(error))]
    found = []
    if not any(office.hours):
        found.append(Fault(f"{PREFIX}OFFICE_HOURS: is empty; no promise can be made to anybody", "warning"))
    if not any(office.duty):
        found.append(Fault(f"{PREFIX}DUTY_HOURS: is empty; an alert that nobody sees is not posted again", "warning"))
    return found


def _content(settings: Settings) -> list[Fault]:
    try:
        pack = topics.load(settings.content)
    except PackError as error:
        return [Fault(f"{PREFIX}CONTENT: {line}") for line in str(error).splitlines()]
    found = []
    try:
        catalogs.load(pack.languages)
    except catalogs.CatalogError as error:
        found.append(Fault(str(error)))
    found += [
        Fault(
            f"{pack.folder / name}: no reviewer's name; a native speaker should read this before the city starts",
            "warning",
        )
        for name, status in sorted(pack.status.items())
        if name.startswith(_REVIEWED) and not status["reviewer"]
    ]
    return found


def _database(settings: Settings) -> list[Fault]:
    try:
        with _opened(settings) as database:
            if not database.read_now(migrate.is_current):
                return [Fault(_OLD_TABLES)]
    except SettingsError:
        return []  # the missing key is named already
    except sa.exc.SQLAlchemyError as error:
        return [Fault(f"{PREFIX}DATABASE_URL: the database cannot be opened ({type(error).__name__})")]
    return []


async def _telegram(settings: Settings) -> list[Fault]:
    engine = make_engine(settings)
    try:
        return await engine.inspect(settings.staff_chat_id)
    except StopPollingError as error:
        return [Fault(f"{PREFIX}TELEGRAM_TOKEN: {error}")]
    except ChannelError as error:
        return [Fault(f"{PREFIX}TELEGRAM_API_URL: Telegram is not there ({type(error).__name__})")]
    finally:
        await engine.close()


@contextlib.contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = make_database(settings)
    try:
        yield database
    finally:
        database.close()


def load_sessions(settings: Settings, file: Path | None, *, really: bool) -> list[str]:
    """What loading a file of programmes would do, in words; with `really` it is done, in one transaction.

    Raises SettingsError that names every fault of the file.
    """
    city = quiet_city(settings)
    path = file or settings.content / "programmes.yaml"
    try:
        entries = loading.read(path)
    except loading.LoadError as error:
        raise SettingsError(str(error)) from None
    now = Clock().now()
    with _opened(settings) as database:
        if not database.read_now(migrate.is_current):
            raise SettingsError(_OLD_TABLES)
        plan = database.read_now(lambda db: loading.steps(db, entries, now))
        lines = [step.words for step in plan]
        if not really:
            return [*lines, "Nothing was changed. With --apply it is done."]
        database.run_now(lambda db: loading.apply(db, loading.steps(db, entries, now), city=city, now=now))
    return [*lines, "Done."]


# --- what the city must fill in -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MissingValue:
    """A local value that is empty, the topics that need it, and how often those were asked."""

    name: str
    what: str
    topics: tuple[str, ...]
    asked: int


def missing_values(settings: Settings) -> list[MissingValue]:
    """Empty local values, most asked first. Without a database nothing was asked yet."""
    pack = topics.load(settings.content)
    values = pack.own_values
    times: dict[str, int] = {}
    with contextlib.suppress(SettingsError, sa.exc.SQLAlchemyError), _opened(settings) as database:
        values = database.read_now(lambda db: topics.local_values(db, pack))
        times = database.read_now(questions.times_asked)
    users = values_used(pack)
    rows = [
        MissingValue(name, pack.values[name].what, users[name], sum(times.get(topic, 0) for topic in users[name]))
        for name, value in values.items()
        if not value and users.get(name)
    ]
    return sorted(rows, key=lambda row: (-row.asked, -len(row.topics), row.name))


def taught(settings: Settings) -> list[tuple[str, str, str]]:
    """What staff taught; nothing without a database."""
    with contextlib.suppress(SettingsError, sa.exc.SQLAlchemyError), _opened(settings) as database:
        return database.read_now(questions.taught)
    return []


def asked_this_week(settings: Settings) -> list[str]:
    """What was asked and not answered in the last seven days, in lines. Raises SettingsError without a database."""
    pack, now = topics.load(settings.content), Clock().now()
    with _opened(settings) as database:
        if not database.read_now(migrate.is_current):
            raise SettingsError(_OLD_TABLES)
        found = database.read_now(lambda db: questions.overview(db, pack, now))
    lines = []
    for code, groups in found.asked.items():
        lines.append(f"{code}: {sum(one.count for one in groups)}")
        lines += [f"{one.count:6} ×  {one.text}  ({one.topic or 'no topic'})" for one in groups]
    few = f"not shown: fewer than {questions.FEWEST_WRITERS} people wrote"
    lines += [f"{code}: {n}, {few}" for code, n in found.few.items()]
    lines += [f"{times:6} ×  the answer of {name} did not help, this month" for name, times in found.not_helped.items()]
    return lines


def values_used(pack: Pack) -> dict[str, tuple[str, ...]]:
    """Which topics need a local value: as a placeholder of the answer or as a contact."""
    return {
        name: tuple(
            topic.id
            for topic in pack.topics.values()
            if name in topic.contacts
            or name in placeholders(pack.look_up(f"topic:{topic.id}/answer", pack.source_language) or "")
        )
        for name in pack.values
    }
