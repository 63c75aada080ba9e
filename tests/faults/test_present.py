"""At the start the bot presents itself in every language and has messages to send: never more than Telegram takes."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from benchmarks import stage
from bot import outbox
from bot.clock import Clock
from bot.language import Said
from bot.message import say
from bot.topics import Pack
from simulator import crowd
from tests.faults.rig import Combination, rig

DUE = 40


async def test_presenting_itself_keeps_the_pace(tmp_path: Path, pack: Pack) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    async with rig(tmp_path, Combination("ptb", "polling", "sqlite", 1), url, limits=True, begin=False) as town:
        figures, state = town.running.world.figures, town.running.world.state
        known = stage.know(town.database, crowd.register(town.running.world, DUE))

        def plan(db: sa.Connection) -> None:
            for person in known:
                outbox.plan(db, "answer", say(Said("bericht")), now=Clock().now(), to=outbox.person_lane(person))

        town.database.run_now(plan)
        town.start(town.bots[0])
        wanted = 2 * (len(pack.languages) + 1)
        await stage.until(lambda: len(figures.accepts) >= DUE and len(state.profile) >= wanted, "all is sent", 30)
        assert sum(figures.too_many.values()) == 0
