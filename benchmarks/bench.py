"""What an answered question costs, against bare echo bots in the same interleaved run. Prints a table.

`make bench`, or `python -m benchmarks.bench --rounds 5 --only aiogram`. Every contender is a process pinned to one
core; the simulator, the people and PostgreSQL have the other. Limits off, PACE=off, SQLite with synchronous=FULL.
What is aimed at is printed beside what was measured; an aim is no promise: the command ends with 0.
"""

from __future__ import annotations

import argparse
import asyncio
import compileall
import logging
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from benchmarks import stage
from benchmarks.contenders import CONTENDERS, OTHER_CORE, Contender, cpu, cpu_of_postgres, memory, prepared, started
from benchmarks.stage import QUESTIONS, until
from bot.env_file import made_keys
from bot.storage.database import make_engine, parse_url
from bot.storage.vault import Vault
from simulator import crowd, people, server
from simulator.figures import part_of
from tests.faults.kills import commit
from tests.faults.rig import ROOT
from tests.stores import postgres_server

PEOPLE: Final = 500
WARM: Final = 300
RATE: Final = 100
ROWS: Final = {
    "cpu": "CPU per update, saturated (ms)",
    "postgres": "  of PostgreSQL's own processes (ms)",
    "p50": f"p50 at {RATE}/s, delivery to sent (ms)",
    "p99": f"p99 at {RATE}/s (ms)",
    "memory": "memory after all that (MiB)",
    "start": "start to first update (s)",
    "answer": "start to first answer (s)",
}
BARE: Final = {way: Contender("aiogram", way) for way in ("polling", "webhook")}
Figures = dict[str, float]


async def measure(one: Contender, folder: Path, postgres: str, *, count: int, seconds: float) -> Figures:
    """Start, warm up, saturate, then a steady rate."""
    town = await server.start()
    town.world.limits.on = False
    accepts, handed = town.world.figures.accepts, town.world.figures.handed
    crew = crowd.register(town.world, PEOPLE)
    data = folder.parent / "postgres"
    found: Figures = {}

    def asked(texts: int) -> list[tuple[int, str]]:
        return [(crew[n % PEOPLE], QUESTIONS[n % len(QUESTIONS)]) for n in range(texts)]

    async def answered(texts: int) -> None:
        before = len(accepts)
        crowd.flood(town.world, asked(texts))
        await until(lambda: len(accepts) - before >= texts, f"{texts} answers of {one}")

    with prepared(one, town, folder, postgres) as ready:
        if one.store:
            database = stage.opened(ready.environment)
            stage.know(database, crew)
            await asyncio.to_thread(database.close)
        people.write(town.world, crew[0], {"text": QUESTIONS[0]})
        first = town.world.state.last_update_id
        begun = time.monotonic()
        with started(ready) as process:
            await until(lambda: bool(accepts) or process.poll() is not None, f"the first answer of {one}")
            if process.poll() is not None:
                raise RuntimeError(f"{one} ended with {process.returncode}")
            found["start"], found["answer"] = handed[first] - begun, accepts[0].mono - begun
            await answered(WARM)
            busy, server_busy = cpu(process.pid), cpu_of_postgres(data)
            await answered(count)
            found["cpu"] = (cpu(process.pid) - busy) / count * 1000
            if one.store == "postgresql":
                found["postgres"] = (cpu_of_postgres(data) - server_busy) / count * 1000
            seen = len(accepts)
            steady = asked(int(RATE * seconds))
            numbers = await crowd.stream(town.world, steady, rate=RATE)
            await until(lambda: len(accepts) - seen >= len(steady), f"the last answers of {one}")
            sent: dict[int, list[float]] = {}
            for accept in accepts[seen:]:
                sent.setdefault(accept.chat, []).append(accept.mono)
            waits = [
                sent[who].pop(0) - handed[number] for (who, _), number in zip(steady, numbers, strict=True)
            ]  # fmt: skip
            found["p50"], found["p99"] = (part_of(waits, part) * 1000 for part in (0.5, 0.99))
            found["memory"] = memory(process.pid)
    await town.close()
    return {row: found[row] for row in ROWS if row in found}


def aim(one: Contender, row: str, bare: Figures) -> float | None:
    """What is aimed at for one of ours; None where nothing is."""
    if not one.store:
        return None
    light = one.name == "ptb"
    factor = 2.0 if one.store == "postgresql" else 1.2 if light else 1.25
    return {
        "cpu": factor * bare["cpu"], "p50": 3.0, "p99": 10.0, "memory": 150.0 if light else 260.0,
        "start": 0.8 if light else 1.25 * bare["start"],
    }.get(row)  # fmt: skip


def table(found: dict[Contender, list[Figures]]) -> str:
    """Medians, ratios against the bare aiogram bot of the same way, lowest and highest, and the aims."""
    middle = {
        one: {row: statistics.median(r[row] for r in rounds) for row in rounds[0]} for one, rounds in found.items()
    }
    lines = []
    for row, label in ROWS.items():
        lines.append(f"\n{label:40}{'median':>9}  {'ratio':>7}  {'lowest–highest':17}aim")
        for one, figures in middle.items():
            if row not in figures:
                continue
            spread = [r[row] for r in found[one]]
            bare = middle[BARE[one.way]]
            ratio = f"{figures[row] / bare[row]:6.2f}×" if bare.get(row) else ""
            limit = aim(one, row, bare)
            told = ""
            if limit is not None:
                told = f"≤ {limit:.2f} " + (
                    "reached" if figures[row] <= limit else f"missed by {(figures[row] / limit - 1) * 100:.0f} %"
                )
            ends = f"{min(spread):.2f}–{max(spread):.2f}"
            lines.append(f"  {one!s:38}{figures[row]:9.2f}  {ratio:>7}  {ends:17}{told}".rstrip())
    return "\n".join(lines)


def durable(folder: Path, postgres: str) -> str:
    """How both databases store, asked of themselves, and what reaching the disk costs here."""
    engine = make_engine(parse_url(f"sqlite:///{folder / 'look.db'}"), Vault([made_keys()["encryption_key"]], b""))
    with engine.connect() as db:
        lite = {name: db.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")}
    engine.dispose()
    if lite["synchronous"] != 2:
        raise RuntimeError(f"SQLite does not run with synchronous=FULL: {lite}")
    engine = sa.create_engine(sa.make_url(postgres).set(drivername="postgresql+psycopg"), poolclass=sa.NullPool)
    with engine.connect() as db:
        great = [f"{name}={db.exec_driver_sql(f'SHOW {name}').scalar()}" for name in ("fsync", "synchronous_commit")]
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            begun = time.monotonic()
            os.fdatasync(file.fileno())
            took.append(time.monotonic() - begun)
    return (
        f"SQLite {lite['journal_mode']}, synchronous=FULL; PostgreSQL {', '.join(great)}; "
        f"fdatasync here: {statistics.median(took) * 1000:.2f} ms"
    )


def main() -> int:
    """Every round all contenders, one after the other, every other round backwards; the table of medians."""
    words = argparse.ArgumentParser(prog="python -m benchmarks.bench", description=__doc__)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--count", type=int, default=1500, help="questions of the saturated part")
    words.add_argument("--seconds", type=float, default=10.0, help="of the steady part")
    words.add_argument("--only", default="", help="part of a name; the bare aiogram bot is always there")
    words.add_argument("--quick", action="store_true", help="one short round: no figures")
    asked = words.parse_args()
    if asked.quick:
        asked.rounds, asked.count, asked.seconds = 1, 300, 2.0
    logging.disable(logging.WARNING)
    os.sched_setaffinity(0, {OTHER_CORE})
    for name in ("bot", "handlers", "benchmarks"):  # as the image does: otherwise every start compiles them anew
        compileall.compile_dir(ROOT / name, quiet=1)
    stage.taught()
    wanted = {one for one in CONTENDERS if asked.only in str(one)}
    wanted |= {BARE[one.way] for one in wanted}
    chosen = [one for one in CONTENDERS if one in wanted]
    if not chosen:
        print(f"--only {asked.only}: there is {', '.join(map(str, CONTENDERS))}", file=sys.stderr)
        return 2
    found: dict[Contender, list[Figures]] = {one: [] for one in chosen}
    with (
        tempfile.TemporaryDirectory(prefix="wegwijs-bench-") as scratch,
        postgres_server(Path(scratch) / "postgres") as url,
    ):
        stored = durable(Path(scratch), url)
        for number in range(asked.rounds):
            for one in chosen if number % 2 == 0 else reversed(chosen):
                with tempfile.TemporaryDirectory(dir=scratch) as folder:
                    figures = asyncio.run(measure(one, Path(folder), url, count=asked.count, seconds=asked.seconds))
                found[one].append(figures)
                told = ", ".join(f"{name} {value:.2f}" for name, value in figures.items())
                print(f"round {number + 1} {one}: {told}", file=sys.stderr, flush=True)
    stage.keep("bench", {"stored": stored, "found": {str(one): rounds for one, rounds in found.items()}})
    print(f"\nmedians of {asked.rounds} rounds, {asked.count} questions, {asked.seconds:g} s, commit {commit()}")
    print(stored)
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
