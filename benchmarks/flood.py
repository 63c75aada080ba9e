"""One person sends 100 texts a second; others, and that person, write of danger: how soon is the card there?

`python -m benchmarks.flood` (two minutes). The simulator keeps Telegram's limits, PACE=on: the flood rule and the
pace are what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from benchmarks import stage
from benchmarks.stage import Found, Promise
from bot import people as persons
from bot.storage import tables
from simulator import crowd, people
from simulator.world import World
from tests.faults.rig import Combination, Rig, rig

RATE = 100
OTHERS = 3
CRISES = ("ik wil niet meer leven", "mijn man slaat mij")  # codespell:ignore wil
LOST = float("inf")


@dataclass
class Cry:
    """A text of danger: who wrote it, when, and which of this person's it is."""

    chat: int
    at: float
    nth: int


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Flood, cry, and join what arrived with what was planned."""
    seconds = 20.0 if asked.quick else asked.seconds
    async with rig(folder, combination, url, lease=(10, 3), limits=True, begin=False, log_level="ERROR") as town:
        world = town.running.world
        flooder, *others = crowd.register(world, 1 + OTHERS)
        stage.know(town.database, [flooder, *others])
        for bot in town.bots:
            town.start(bot)
        people.write(world, others[0], {"text": stage.QUESTIONS[0]})
        await stage.until(lambda: bool(world.figures.accepts), "the first answer")
        cries: list[Cry] = []

        async def cry_at(after: float, who: int, nth: int) -> None:
            await asyncio.sleep(after)
            people.write(world, who, {"text": CRISES[nth]})
            cries.append(Cry(who, time.monotonic(), nth))

        async with asyncio.TaskGroup() as group:
            for number, who in enumerate(others):
                group.create_task(cry_at(seconds * (2 * number + 1) / (2 * OTHERS), who, 0))
            for nth, part in enumerate((1 / 3, 2 / 3)):
                group.create_task(cry_at(seconds * part, flooder, nth))
            group.create_task(flood(world, flooder, seconds))
        written = time.monotonic()
        await town.settle(180)
        settled = time.monotonic() - written
        arrived = town.database.read_now(lambda db: cards(db, town))
    waits = {kind: {True: [], False: []} for kind in ("card", "alert")}  # type: dict[str, dict[bool, list[float]]]
    for cry in cries:
        mine = arrived.get(cry.chat, [])
        for kind, at in zip(waits, mine[cry.nth] if cry.nth < len(mine) else (LOST, LOST), strict=True):
            waits[kind][cry.chat == flooder].append(at - cry.at)
    sent = sum(one.chat == flooder for one in world.figures.accepts)
    return Found(
        [
            Promise("card, another person (s)", max(waits["card"][False]), 3),
            Promise("card, the flooding person (s)", max(waits["card"][True]), 10),
            Promise("alert, another person (s)", max(waits["alert"][False]), 10),
            Promise("alert, the flooding person (s)", max(waits["alert"][True]), 10),
            Promise("429", sum(world.figures.too_many.values()), 0),
        ],
        {
            "texts of the flood": RATE * seconds, "messages to the flooding person": sent,
            "until all is done, after the last text (s)": settled,
        },
    )  # fmt: skip


async def flood(world: World, who: int, seconds: float) -> None:
    """100 questions a second of one person."""
    texts: Iterable[tuple[int, str]] = ((who, text) for text in itertools.cycle(stage.QUESTIONS))
    await crowd.stream(world, itertools.islice(texts, int(RATE * seconds)), rate=RATE)


def cards(db: sa.Connection, town: Rig) -> dict[int, list[tuple[float, float]]]:
    """Per chat, in order: when each card arrived and when its alert. Both were planned in one turn, at one instant."""
    accepts = {(one.chat, one.message_id): one.mono for one in town.running.world.figures.accepts}
    staff = town.running.world.state.staff_id
    box = tables.outbox.c
    rows = db.execute(sa.select(tables.outbox).where(box.kind.in_(("card", "alert"))).order_by(box.id)).all()
    alerts = {
        row.planned_at: accepts.get((staff, row.message_id), LOST)
        for row in rows
        if row.kind == "alert" and row.lane == "staff"
    }
    found: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        if row.kind == "card":
            chat = persons.telegram_id(db, row.person_id) or 0
            found[chat].append((accepts.get((chat, row.message_id), LOST), alerts.get(row.planned_at, LOST)))
    return found


def main() -> int:
    """Measure and print."""
    words = stage.words_of("flood", __doc__)
    words.add_argument("--seconds", type=float, default=60)
    return stage.run("flood", measure, words.parse_args())


if __name__ == "__main__":
    sys.exit(main())
