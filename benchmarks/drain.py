"""Ten thousand deliveries are due at once: how much of Telegram's 30 a second is used, and is it ever asked to wait?

`python -m benchmarks.drain` (six minutes). The simulator keeps Telegram's limits, PACE=on; each delivery goes to
another person.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import sqlalchemy as sa

from benchmarks import stage
from benchmarks.contenders import cpu
from benchmarks.stage import Found, Promise
from bot import outbox
from bot.clock import Clock
from bot.language import Said
from bot.message import say
from simulator import crowd
from simulator.limits import OVERALL
from tests.faults.rig import Combination, rig


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Plan everything, then start the bot."""
    count = 600 if asked.quick else asked.count
    async with rig(
        folder, combination, url, lease=(10, 3), limits=True, begin=False, log_level="ERROR"
    ) as town:
        figures = town.running.world.figures
        crew = crowd.register(town.running.world, count)
        known = stage.know(town.database, crew)

        def plan(db: sa.Connection) -> None:
            now = Clock().now()
            for number, person in enumerate(known):
                outbox.plan(db, "answer", say(Said(f"bericht {number}")), now=now, to=outbox.person_lane(person))

        town.database.run_now(plan)
        for bot in town.bots:
            town.start(bot)
        await stage.until(lambda: bool(figures.accepts), "the first delivery")
        busy = cpu(town.bots[0].pid)
        await stage.at_rest(figures, count)
        await town.settle()
        burnt = cpu(town.bots[0].pid) - busy
    accepts = figures.accepts
    seconds = accepts[-1].mono - accepts[0].mono
    rate = (len(accepts) - 1) / seconds
    return Found(
        [
            Promise(f"of {OVERALL}/s (%)", rate / OVERALL * 100, 98, least=True),
            Promise("429", sum(figures.too_many.values()), 0),
            Promise("not delivered", count - len({one.chat for one in accepts}), 0),
            Promise("extra copies", len(accepts) - len({one.chat for one in accepts}), 0),
        ],
        {
            "deliveries": len(accepts), "seconds": seconds, "a second": rate,
            "most in one second": figures.busiest_second,
            "CPU of the first bot per delivery (ms)": burnt / count * 1000,
        },
    )  # fmt: skip


def main() -> int:
    """Measure and print."""
    words = stage.words_of("drain", __doc__)
    words.add_argument("--count", type=int, default=10_000)
    return stage.run("drain", measure, words.parse_args())


if __name__ == "__main__":
    sys.exit(main())
