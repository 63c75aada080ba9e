"""What an answered question costs, against bare echo bots in the same interleaved run. Prints a table.

`make bench`, or `python -m benchmarks.bench --rounds 5 --only aiogram`. Every contender is a process pinned to one
core; the simulator, the people and PostgreSQL have the other. Limits off, PACE=off, SQLite with synchronous=FULL.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchmarks.contenders import CONTENDERS, OTHER_CORE, ROOT, Contender, cpu, cpu_of_postgres, memory, running
from simulator import crowd, people, server
from simulator.figures import part_of
from tests.faults.kills import commit
from tests.stores import postgres_server

PEOPLE: Final = 500
WARM: Final = 300
RATE: Final = 100
QUESTIONS: Final = (
    "waar kan ik Nederlands oefenen", "ik zoek een dokter", "hoe schrijf ik mijn kind in op school",
    "waar kan ik eten krijgen", "ik wil leren fietsen", "waar is de bibliotheek",
)  # fmt: skip
ROWS: Final = {
    "cpu": "CPU per update, saturated (ms)",
    "postgres": "  of PostgreSQL's processes (ms)",
    "p50": f"p50 at {RATE}/s (ms)",
    "p99": f"p99 at {RATE}/s (ms)",
    "memory": "memory (MiB)",
    "start": "start to first update (s)",
}
Figures = dict[str, float]


async def until(found: Callable[[], bool], what: str, seconds: float = 60) -> None:
    """Wait until something of another process is so."""
    end = time.monotonic() + seconds
    while not found():
        if time.monotonic() > end:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        await asyncio.sleep(0.005)


async def measure(one: Contender, folder: Path, postgres: str, *, count: int, seconds: float) -> Figures:
    """Start, warm up, saturate, then a steady rate."""
    town = await server.start(data=None)
    town.world.limits.on = False
    town.world.webhook_wait = (0.05, 0.5)
    accepts, handed = town.world.figures.accepts, town.world.figures.handed
    crew = crowd.register(town.world, PEOPLE)
    found: Figures = {}

    def asked(texts: int) -> list[tuple[int, str]]:
        return [(crew[n % PEOPLE], QUESTIONS[n % len(QUESTIONS)]) for n in range(texts)]

    async def answered(texts: int) -> None:
        before = len(accepts)
        crowd.flood(town.world, asked(texts))
        await until(lambda: len(accepts) - before >= texts, f"{texts} answers of {one}")

    begun = time.monotonic()
    with running(one, town, folder, postgres) as process:
        begun = time.monotonic() if not one.store else begun
        people.write(town.world, crew[0], {"text": "/language"})
        first = town.world.state.last_update_id
        begun = started_at(process.pid)
        await until(lambda: first in handed or process.poll() is not None, f"{one} takes updates")
        if process.poll() is not None:
            raise RuntimeError(f"{one} ended with {process.returncode}")
        found["start"] = handed[first] - begun
        await until(lambda: bool(accepts), f"the first answer of {one}")
        if one.store:
            await chosen(town, crew)
        await answered(WARM)
        busy, server_busy = cpu(process.pid), cpu_of_postgres(folder.parent / "postgres")
        await answered(count)
        found["cpu"] = (cpu(process.pid) - busy) / count * 1000
        if one.store == "postgresql":
            found["postgres"] = (cpu_of_postgres(folder.parent / "postgres") - server_busy) / count * 1000
        seen = len(accepts)
        steady = asked(int(RATE * seconds))
        numbers = await crowd.stream(town.world, steady, rate=RATE)
        await until(lambda: len(accepts) - seen >= len(steady), f"the last answers of {one}")
        sent: dict[int, list[float]] = {}
        for accept in accepts[seen:]:
            sent.setdefault(accept.chat, []).append(accept.mono)
        waits = []
        for (who, _), number in zip(steady, numbers, strict=True):
            waits.append(sent[who].pop(0) - handed[number])
        found["p50"], found["p99"] = (part_of(waits, part) * 1000 for part in (0.5, 0.99))
        found["memory"] = memory(process.pid)
    await town.close()
    return found


def started_at(process: int) -> float:
    """When a process was started, in seconds of `time.monotonic`."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


async def chosen(town: server.Running, crew: list[int]) -> None:
    """Everybody has chosen Dutch."""
    accepts = town.world.figures.accepts
    before = len(accepts)
    crowd.flood(town.world, [(who, "/language nl") for who in crew[1:]])
    await until(lambda: len(accepts) - before >= len(crew) - 1, "languages are offered")
    for who in crew:
        messages = town.world.state.chats[who].messages
        for number in sorted(messages, reverse=True):
            rows = (messages[number].get("reply_markup") or {}).get("inline_keyboard", [])
            if any(key.get("callback_data") == "language:nl" for row in rows for key in row):
                people.tap(town.world, who, {"message_id": number, "data": "language:nl"})
                break
    await until(lambda: not town.world.state.pending, "languages are chosen")
    last = -1
    while last != len(accepts):  # what follows a choice differs; wait until nothing comes any more
        last = len(accepts)
        await asyncio.sleep(0.5)


def aims(name: Contender, row: str, value: float, bare: Figures) -> str:
    """What was aimed at, and by how much it is missed; "" where nothing was."""
    if not name.store:
        return ""
    light = name.name == "ptb"
    factor = (2.0 if name.store == "postgresql" else 1.2 if light else 1.25) if row == "cpu" else 1.25
    limit = {
        "cpu": factor * bare["cpu"], "p50": 3.0, "p99": 10.0, "memory": 150.0 if light else 260.0,
        "start": 0.8 if light else factor * bare["start"],
    }.get(row)  # fmt: skip
    if limit is None:
        return ""
    return f"≤ {limit:.2f} " + ("reached" if value <= limit else f"missed, {value / limit:.2f}×")


def table(found: dict[Contender, list[Figures]]) -> str:
    """Medians, ratios against the bare aiogram bot of the same way, and the aims."""
    middle = {
        one: {row: statistics.median(r[row] for r in rounds) for row in rounds[0]} for one, rounds in found.items()
    }
    lines = []
    for row, label in ROWS.items():
        lines.append(f"\n{label}")
        for one, figures in middle.items():
            if row not in figures:
                continue
            spread = [r[row] for r in found[one]]
            bare = middle.get(Contender("aiogram", one.way)) or middle.get(Contender("aiogram", "polling"))
            ratio = f"{figures[row] / bare[row]:6.2f}×" if bare and row in bare and bare[row] else " " * 7
            told = aims(one, row, figures[row], bare) if bare else ""
            lines.append(
                f"  {one!s:38}{figures[row]:9.2f}  {ratio}  [{min(spread):.2f}–{max(spread):.2f}]  {told}".rstrip()
            )
    return "\n".join(lines)


def main() -> int:
    """Every round all contenders, one after the other; the table of medians."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--count", type=int, default=1500, help="questions of the saturated part")
    words.add_argument("--seconds", type=float, default=6.0, help="of the steady part")
    words.add_argument("--only", default="", help="part of a name; the bare aiogram bot is always there")
    asked = words.parse_args()
    logging.disable(logging.WARNING)
    os.sched_setaffinity(0, {OTHER_CORE})
    measure_of = [one for one in CONTENDERS if asked.only in str(one) or str(one) == "bare aiogram polling"]
    found: dict[Contender, list[Figures]] = {one: [] for one in measure_of}
    with (
        tempfile.TemporaryDirectory(prefix="wegwijs-bench-") as scratch,
        postgres_server(Path(scratch) / "postgres") as url,
    ):
        for number in range(asked.rounds):
            for one in measure_of:
                with tempfile.TemporaryDirectory(dir=scratch) as folder:
                    figures = asyncio.run(
                        measure(one, Path(folder), url, count=asked.count, seconds=asked.seconds)
                    )
                found[one].append(figures)
                print(f"round {number + 1} {one}: " + ", ".join(f"{k} {v:.2f}" for k, v in figures.items()), flush=True)
    kept = ROOT / "var" / "bench"
    kept.mkdir(parents=True, exist_ok=True)
    told = json.dumps({str(one): rounds for one, rounds in found.items()})
    (kept / f"{commit()}.json").write_text(told, encoding="utf-8")
    print(f"\nmedians of {asked.rounds} rounds, {asked.count} questions, commit {commit()}")
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
