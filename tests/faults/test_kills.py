"""kill -9 at any moment, under load: nothing is lost, nothing is done twice, at most one copy more."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import verdict
from tests.faults.kills import killed
from tests.faults.rig import COMBINATIONS, Combination
from tests.stores import postgres_database

KILLS = 3


@pytest.fixture
def store_url(combination: Combination, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database of the combination's kind."""
    if combination.store == "sqlite":
        yield f"sqlite:///{tmp_path / 'town.db'}"
        return
    with postgres_database(request.getfixturevalue("postgres")) as address:
        yield address


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
async def test_killed_under_load(combination: Combination, store_url: str, tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    found = await killed(combination, store_url, tmp_path, kills=KILLS, seed=seed)
    print(verdict.table([found]), found.fired)
    assert not found.faults, "\n".join(found.faults)
    assert found.updates > 20
