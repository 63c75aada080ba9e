"""Ten people with an open case write six texts a minute each: how long until a text stands in the staff group?

`python -m benchmarks.staff_group` (five minutes). The simulator keeps Telegram's limits (20 a minute in a group),
PACE=on. The minute in which the cases were opened is over before it begins.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time
from pathlib import Path

from benchmarks import stage
from benchmarks.stage import Found, Promise
from simulator import people
from simulator.figures import part_of
from tests.faults.rig import Combination, Rig, rig

CASES = 10
A_MINUTE = 6
MARK = re.compile(r"bericht \d{6} einde")


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Open the cases, write, and find each text in the group."""
    minutes = 1.0 if asked.quick else asked.minutes
    async with rig(folder, combination, url, lease=(10, 3), limits=True, log_level="ERROR") as town:
        world = town.running.world
        await town.arrive(askers=0, writers=CASES)
        await asyncio.sleep(60)  # the minute of the opening is over
        written = await write(town, minutes)
        await town.settle(120)
        found: dict[str, list[float]] = {}
        sends = 0
        for accept in world.figures.accepts:
            if accept.chat == world.state.staff_id:
                marks = MARK.findall(accept.text)
                sends += bool(marks)
                for mark in marks:
                    found.setdefault(mark, []).append(accept.mono)
    waits = [found[words][0] - at for words, at in written.items() if words in found]
    return Found(
        [
            Promise("p99 until the copy (s)", part_of(waits, 0.99), 30),
            Promise("429", sum(world.figures.too_many.values()), 0),
            Promise("texts without a copy", len(written) - len(waits), 0),
            Promise("extra copies", sum(len(times) - 1 for times in found.values()), 0),
        ],
        {
            "texts": len(written), "messages in the group": sends,
            "p50 (s)": part_of(waits, 0.5), "longest (s)": part_of(waits, 1.0),
        },
    )  # fmt: skip


async def write(town: Rig, minutes: float) -> dict[str, float]:
    """Each person once in each ten seconds, at any moment of them. When each text was written."""
    dice = random.Random(1)  # noqa: S311 (no secret)
    slot = 60 / A_MINUTE
    plan = sorted(
        (round_ * slot + dice.uniform(0, slot), one)
        for round_ in range(int(minutes * A_MINUTE))
        for one in town.writers
    )
    begun = time.monotonic()
    written: dict[str, float] = {}
    for number, (at, one) in enumerate(plan):
        await asyncio.sleep(max(0.0, begun + at - time.monotonic()))
        words = f"bericht {number:06d} einde"
        people.write(town.running.world, one, {"text": words})
        written[words] = time.monotonic()
    return written


def main() -> int:
    """Measure and print."""
    words = stage.words_of("staff_group", __doc__)
    words.add_argument("--minutes", type=float, default=3.5)
    return stage.run("staff_group", measure, words.parse_args())


if __name__ == "__main__":
    sys.exit(main())
