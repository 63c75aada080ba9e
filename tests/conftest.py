"""What tests share: real databases of both kinds, the real pack, an office."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.fernet import Fernet

from bot import teaching
from bot.office import Office, parse_hours
from bot.storage import tables
from bot.storage.database import Database
from bot.storage.vault import Vault
from bot.topics import Pack, load
from bot.understanding import Understanding
from tests.stores import postgres_database, postgres_server

ROOT = Path(__file__).parent.parent
ZONE = ZoneInfo("Europe/Brussels")


@pytest.fixture(scope="session", autouse=True)
def _taught() -> None:
    """What reads texts was taught with the pack as it is now; learning it takes a minute or two, once."""
    if not teaching.is_fresh(load(ROOT / "content" / "lokeren"), ROOT / "var" / "cache"):
        teaching.rebuild(ROOT / "content" / "lokeren", ROOT / "var" / "cache")


@pytest.fixture(scope="session")
def understanding(pack: Pack) -> Understanding:
    return teaching.understanding(pack, ROOT / "var" / "cache")[0]


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault([Fernet.generate_key().decode()], b"i" * 32)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real PostgreSQL server of this test run, reached by a socket."""
    with postgres_server(tmp_path_factory.mktemp("postgres")) as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres")) as address:
        yield address


@pytest.fixture
def database(database_url: str, vault: Vault) -> Iterator[Database]:
    """An open, empty database, once on SQLite and once on PostgreSQL."""
    opened = Database(database_url, vault)
    tables.METADATA.create_all(opened.writer)
    yield opened
    opened.close()


@pytest.fixture
def sqlite(tmp_path: Path, vault: Vault) -> Iterator[Database]:
    """An open, empty SQLite database."""
    opened = Database(f"sqlite:///{tmp_path / 'test.db'}", vault)
    tables.METADATA.create_all(opened.writer)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def pack() -> Pack:
    return load(ROOT / "content" / "lokeren")


@pytest.fixture(scope="session")
def zone() -> ZoneInfo:
    return ZONE


@pytest.fixture(scope="session")
def office() -> Office:
    return Office(
        zone=ZONE,
        hours=parse_hours("mon-fri 09:00-12:00,13:00-16:00"),
        duty=parse_hours("mon-sun 08:00-22:00"),
        within=dt.timedelta(hours=7),
    )
