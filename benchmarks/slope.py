"""Does memory grow with what is done, or with what is planned? 200,000 questions, then a million planned deliveries.

`python -m benchmarks.slope` (half an hour; `--part updates` or `--part planned` for one of both). Limits off,
PACE=off. The slope is a line through the second half: in the first, caches fill.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
import sqlalchemy as sa

from benchmarks import stage
from benchmarks.contenders import OTHER_CORE, Contender, Ready, cpu, memory, prepared, started
from benchmarks.stage import QUESTIONS, Found, Promise, at_rest
from bot.clock import Clock
from bot.language import Said
from bot.message import dump, say
from bot.outbox import KINDS, person_lane
from bot.storage import tables
from bot.storage.vault import seal
from simulator import crowd
from simulator import server as simulator
from tests.faults.rig import COMBINATIONS, Combination

PEOPLE: Final = 1000
CHUNK: Final = 2000
WARM: Final = 4000
FLAT: Final = 5.0
"""MiB per 100,000 updates that still are flat."""

MORE: Final = 10.0
"""MiB that a million planned deliveries may add."""

ALONE = [one for one in COMBINATIONS if one.processes == 1 and one.way == "polling"]


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Both parts, or the one that was asked for."""
    os.sched_setaffinity(0, {OTHER_CORE})
    updates, planned, after = (8_000, 20_000, 2_000) if asked.quick else (asked.updates, asked.planned, 20_000)
    one = Contender(combination.engine, combination.way, combination.store)
    found = Found([])
    if asked.part in {"updates", "both"}:
        line = await line_of(one, folder, url, updates, 0)
        found.promises.append(Promise("slope (MiB per 100,000 updates)", line.slope, FLAT))
        found.also |= {
            "updates": updates, "memory after the first 4,000 (MiB)": line.held[0],
            "memory at the end (MiB)": line.held[-1], "CPU per update (ms)": line.cpu,
            "minutes": line.seconds / 60, "MiB, in tenths": " ".join(f"{value:.0f}" for value in tenths(line.held)),
        }  # fmt: skip
    if asked.part in {"planned", "both"}:
        few = await line_of(one, folder, url, after, 0)
        many = await line_of(one, folder, url, after, planned)
        found.promises.append(Promise("more memory with planned ones (MiB)", many.held[-1] - few.held[-1], MORE))
        found.also |= {
            "planned deliveries": planned, "memory without them (MiB)": few.held[-1],
            "memory with them (MiB)": many.held[-1], "CPU per update without (ms)": few.cpu,
            "CPU per update with (ms)": many.cpu,
        }  # fmt: skip
    return found


class Line:
    """MiB after each chunk, with what it cost."""

    def __init__(self) -> None:
        self.held: list[float] = []
        self.cpu = 0.0
        self.seconds = 0.0

    @property
    def slope(self) -> float:
        """MiB per 100,000 updates, through the second half."""
        half = self.held[len(self.held) // 2 :]
        return float(np.polyfit(range(len(half)), half, 1)[0]) * 100_000 / CHUNK if len(half) > 1 else 0.0


async def line_of(one: Contender, within: Path, server: str, updates: int, planned: int) -> Line:
    """Start a bot with so many deliveries planned for next year, ask, and look at its memory."""
    folder = Path(tempfile.mkdtemp(dir=within))
    town = await simulator.start(keep_messages=False)
    town.world.limits.on = False
    figures, line = town.world.figures, Line()
    crew = crowd.register(town.world, PEOPLE)

    async def ask(count: int) -> None:
        wanted = len(figures.accepts) + count
        crowd.flood(town.world, ((crew[n % PEOPLE], QUESTIONS[n % len(QUESTIONS)]) for n in range(count)))
        await at_rest(figures, wanted)
        if len(figures.accepts) < wanted:
            raise TimeoutError(f"{wanted - len(figures.accepts)} questions are not answered")
        for kept in (figures.written, figures.handed):
            kept.clear()

    with prepared(one, town, folder, server) as ready:
        await asyncio.to_thread(fill, ready, crew, planned)
        with started(ready) as process:
            await ask(WARM)
            line.held.append(memory(process.pid))
            begun, busy = time.monotonic(), cpu(process.pid)
            for _ in range(max(1, updates // CHUNK)):
                await ask(CHUNK)
                line.held.append(memory(process.pid))
            line.seconds = time.monotonic() - begun
            line.cpu = (cpu(process.pid) - busy) / (updates // CHUNK * CHUNK) * 1000
    await town.close()
    return line


def fill(ready: Ready, crew: list[int], planned: int) -> None:
    """These people are known, and have so many deliveries in the year to come."""
    database = stage.opened(ready.environment)
    known = stage.know(database, crew)
    now = Clock().now()
    for first in range(0, planned, 50_000):

        def plan(db: sa.Connection, first: int = first) -> None:
            body = seal(db, dump(say(Said("later")), None))
            db.execute(
                sa.insert(tables.outbox),
                [
                    {
                        "kind": "reminder", "priority": KINDS["reminder"].priority, "body_sealed": body,
                        "lane": person_lane(known[n % len(known)]), "person_id": known[n % len(known)],
                        "state": "planned", "planned_at": now, "key": f"later:{n}", "attempts": 0, "copies": 0,
                        "put_off": False, "due_at": now + dt.timedelta(days=30, minutes=n % 400_000),
                    }
                    for n in range(first, min(planned, first + 50_000))
                ],
            )  # fmt: skip

        database.run_now(plan)
    database.close()


def tenths(values: list[float]) -> list[float]:
    """Eleven of them, evenly."""
    return [values[round(part * (len(values) - 1) / 10)] for part in range(11)]


def main() -> int:
    """Measure and print."""
    words = stage.words_of("slope", __doc__)
    words.add_argument("--updates", type=int, default=200_000)
    words.add_argument("--planned", type=int, default=1_000_000)
    words.add_argument("--part", choices=("updates", "planned", "both"), default="both")
    return stage.run("slope", measure, words.parse_args(), among=ALONE)


if __name__ == "__main__":
    sys.exit(main())
