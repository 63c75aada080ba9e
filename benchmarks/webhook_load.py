"""A webhook under load: 1,000 questions a second from 5,000 chats for 60 s; is every POST answered, and every question?

`python -m benchmarks.webhook_load`. The generator is a process of its own on the same two cores, with as many
connections as the bot asked Telegram for; SQLite commits with synchronous=FULL. Limits off, PACE=off. Afterwards the
bot works off what it has stored.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks import posts, stage
from benchmarks.contenders import cpu, memory
from benchmarks.stage import Found, Promise
from simulator import crowd, people
from tests.faults.rig import COMBINATIONS, ROOT, Combination, Rig, rig

ALONE = [one for one in COMBINATIONS if one.way == "webhook" and one.processes == 1]


async def measure(combination: Combination, folder: Path, url: str, asked: argparse.Namespace) -> Found:
    """Post, wait for the rest, count."""
    seconds = 5 if asked.quick else asked.seconds
    async with rig(folder, combination, url, lease=(10, 3), begin=False, log_level="ERROR") as town:
        world = town.running.world
        crew = crowd.register(world, asked.chats)
        stage.know(town.database, crew)
        town.start(town.bots[0])
        await stage.until(lambda: bool(world.state.webhook), "the bot has set its webhook")
        await answered_once(town, crew[0])
        accepts = world.figures.accepts
        before, busy, begun = len(accepts), cpu(town.bots[0].pid), time.monotonic()
        told = await generator(
            url=world.spread[0], secret=town.env["WEGWIJS_WEBHOOK_SECRET"], chats=crew, texts=list(stage.QUESTIONS),
            rate=asked.rate, seconds=seconds, connections=int(world.state.webhook["max_connections"]),
        )  # fmt: skip
        posted = sum(told["ended"].values())
        behind = before + posted - len(accepts)
        await stage.at_rest(world.figures, before + posted)
        drained = time.monotonic() - begun
        burnt, held = cpu(town.bots[0].pid) - busy, memory(town.bots[0].pid)
        await asyncio.sleep(1)  # a copy too many would come now
    wanted = Counter(crew[number % len(crew)] for number in range(posted))
    given = Counter(one.chat for one in accepts[before:] if one.chat > 0)
    fine = told["ended"].get("200", 0)
    failed = sum(count for status, count in told["ended"].items() if status.startswith("5"))
    return Found(
        [
            Promise("p99 of the 200 (ms)", told["from_post"][1] * 1000, 200),
            Promise("POSTs a second", posted / told["seconds"], 0.99 * asked.rate, least=True),
            Promise("5xx", failed, 0),
            Promise("POSTs without their 200", posted - fine, 0),
            Promise("replies lost", sum((wanted - given).values()), 0),
            Promise("extra copies", sum((given - wanted).values()), 0),
        ],
        {
            "POSTs": posted,
            "p50 of the 200 (ms)": told["from_post"][0] * 1000,
            "slowest 200 (ms)": told["from_post"][2] * 1000,
            "p99 from when the POST was due (ms)": told["from_due"][1] * 1000,
            "questions still to answer at the end": behind,
            "until the last answer (s)": drained,
            "CPU of the bot per update (ms)": burnt / max(1, posted) * 1000,
            "memory afterwards (MiB)": held,
            "how POSTs ended": str(told["ended"]),
        },
    )


async def answered_once(town: Rig, chat: int) -> None:
    """The content is read and the first turn is made: posting may begin."""
    accepts = town.running.world.figures.accepts
    people.write(town.running.world, chat, {"text": stage.QUESTIONS[0]})
    await stage.until(lambda: bool(accepts), "the first answer")


async def generator(**wish: object) -> dict[str, Any]:
    """Run `benchmarks.posts` and give what it found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", posts.__name__, cwd=ROOT, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate(json.dumps(wish).encode())
    found: dict[str, Any] = json.loads(output)
    return found


def main() -> int:
    """Measure and print."""
    words = stage.words_of("webhook_load", __doc__, only="aiogram-webhook-sqlite-1")
    words.add_argument("--seconds", type=float, default=60)
    words.add_argument("--rate", type=float, default=1000)
    words.add_argument("--chats", type=int, default=5000)
    return stage.run("webhook_load", measure, words.parse_args(), among=ALONE)


if __name__ == "__main__":
    sys.exit(main())
