"""Ten minutes at full load and no fault: is anything refused, lost, sent twice or out of order?

`python -m benchmarks.full_load` (twelve minutes). People ask as many questions a second as Telegram lets a bot
answer, while others write in their cases. The simulator keeps Telegram's limits, PACE=on.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from pathlib import Path

from benchmarks import stage
from benchmarks.stage import Found, Promise
from simulator import people
from simulator.figures import part_of
from simulator.limits import OVERALL
from tests.faults import verdict
from tests.faults.rig import QUESTION, Combination, Rig, rig

ASKERS, WRITERS = 200, 5
WRITERS_EVERY = 2.0  # seconds between two texts in cases


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Load, rest, judge."""
    seconds = 30.0 if asked.quick else asked.minutes * 60
    async with rig(folder, combination, url, lease=(10, 3), limits=True, log_level="ERROR") as town:
        figures = town.running.world.figures
        await town.arrive(askers=ASKERS, writers=WRITERS)
        before = len(figures.accepts)
        asked_at = await load(town, asked.rate, seconds)
        sent = len(figures.accepts) - before
        await town.settle(300)
        found = verdict.judge(town)
        answers: dict[int, list[float]] = {}
        for accept in figures.accepts[before:]:
            answers.setdefault(accept.chat, []).append(accept.mono)
        waits = [
            answer - at
            for one, times in asked_at.items()
            for at, answer in zip(times, answers.get(one, ()), strict=False)
        ]  # fmt: skip
    return Found(
        [
            Promise("429", sum(figures.too_many.values()), 0),
            Promise("extra copies", found.extra, 0),
            Promise("updates lost", len(found.lost), 0),
            Promise("updates with a second effect", len(found.twice), 0),
            Promise("deliveries lost", len(found.gone), 0),
            Promise("out of order", len(found.disorder), 0),
        ],
        {
            "minutes": seconds / 60, "updates": found.updates, "deliveries": found.deliveries,
            f"of {OVERALL}/s while it lasted (%)": sent / seconds / OVERALL * 100,
            "p50 until the answer (s)": part_of(waits, 0.5), "p99 until the answer (s)": part_of(waits, 0.99),
        },
    )  # fmt: skip


async def load(town: Rig, rate: float, seconds: float) -> dict[int, list[float]]:
    """Questions at a rate, in turn; texts in cases between them. When each person asked."""
    world = town.running.world
    asked_at: dict[int, list[float]] = {one: [] for one in town.askers}
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        if len(town.written) * WRITERS_EVERY <= number / rate:
            words = f"bericht {len(town.written):06d} einde"
            one = town.writers[len(town.written) % len(town.writers)]
            town.written.append((one, words))
            people.write(world, one, {"text": words})
        one = town.askers[number % len(town.askers)]
        town.asked[one] = town.asked.get(one, 0) + 1
        asked_at[one].append(time.monotonic())
        people.write(world, one, {"text": QUESTION})
    return asked_at


def main() -> int:
    """Measure and print."""
    words = stage.words_of("full_load", __doc__)
    words.add_argument("--minutes", type=float, default=10)
    words.add_argument("--rate", type=float, default=float(OVERALL), help="questions a second")
    return stage.run("full_load", measure, words.parse_args())


if __name__ == "__main__":
    sys.exit(main())
