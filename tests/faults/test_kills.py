"""kill -9 at any moment, under load: nothing is lost, nothing is done twice, at most one copy more."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.faults import verdict
from tests.faults.rig import COMBINATIONS, Combination, rig

KILLS = 3


@pytest.fixture
def store_url(combination: Combination, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the combination's kind."""
    if combination.store == "sqlite":
        yield f"sqlite:///{tmp_path / 'town.db'}"
        return
    address = sa.make_url(request.getfixturevalue("postgres")).set(drivername="postgresql+psycopg")
    name = f"k{uuid.uuid4().hex[:12]}"
    admin = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield address.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
async def test_killed_under_load(combination: Combination, store_url: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    async with rig(tmp_path, combination, store_url, seed=seed) as town:
        await town.arrive()
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(town.load(40, enough))
            await town.kill_often(KILLS)
            enough.set()
        for bot in town.bots:
            await town.kill(bot)
            town.start(bot)
        await town.settle()
        found = verdict.judge(town)
        print(verdict.table([found]), found.fired)
        assert not found.faults, "\n".join(found.faults)
        assert found.updates > 20
