"""What the proofs share: which bots, a database for each, promises and their table; it must not measure.

Each proof is one command that takes `--only` (part of the name of a combination; "" is all) and `--quick`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import shlex
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bot import people, teaching, topics
from bot.clock import Clock
from bot.settings import load
from bot.storage.database import Database
from simulator.figures import Figures
from tests.faults.kills import commit
from tests.faults.rig import COMBINATIONS, ROOT, Combination
from tests.stores import postgres_database, postgres_server

QUESTIONS: Final = (
    "waar kan ik Nederlands oefenen", "ik zoek een dokter", "hoe schrijf ik mijn kind in op school",
    "waar kan ik eten krijgen", "ik wil leren fietsen", "waar is de bibliotheek",  # codespell:ignore wil
)  # fmt: skip


@dataclass(frozen=True)
class Promise:
    """One figure and what it may be at most, or with `least` at least."""

    what: str
    value: float
    limit: float
    unit: str = ""
    least: bool = False

    @property
    def kept(self) -> bool:
        """Whether it holds."""
        return self.value >= self.limit if self.least else self.value <= self.limit


@dataclass
class Found:
    """What one run gave: promises, and other figures by name, for those who want to know."""

    promises: list[Promise]
    also: dict[str, float | str] = field(default_factory=dict)


Measure = Callable[[Combination, Path, str, argparse.Namespace], Coroutine[Any, Any, Found]]


def words_of(module: str, doc: str | None, *, only: str = "aiogram-polling-sqlite-1") -> argparse.ArgumentParser:
    """The arguments that every proof takes; `module` is its name in this package."""
    words = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=doc)
    words.add_argument("--only", default=only, help=f'part of a combination, such as ptb-webhook; "" is all; {only}')
    words.add_argument("--quick", action="store_true", help="only to see that it works: no figures")
    return words


def run(
    module: str, measure: Measure, asked: argparse.Namespace, *, among: Sequence[Combination] = COMBINATIONS
) -> int:
    """Measure what is asked for, print the table, keep it as JSON; 1 when a promise broke, unless quick."""
    logging.disable(logging.WARNING)
    chosen = [one for one in among if asked.only in str(one)]
    if not chosen:
        print(f"--only {asked.only}: there is {', '.join(map(str, among))}", file=sys.stderr)
        return 2
    taught()
    found: dict[str, Found] = {}
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wegwijs-bench-")))
        server = ""
        if any(one.store == "postgresql" for one in chosen):
            server = stack.enter_context(postgres_server(scratch / "postgres"))
        for one in chosen:
            begun = time.monotonic()
            with place(one.store, scratch, server) as (folder, url):
                found[str(one)] = asyncio.run(measure(one, folder, url, asked))
            print(f"{one}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{shlex.join(['python', '-m', f'benchmarks.{module}', *sys.argv[1:]])}, commit {commit()}")
    if asked.quick:
        print("(--quick: to see that it works; these are no figures)")
    print(table(found))
    keep(module, {name: asdict(one) for name, one in found.items()})
    return 0 if asked.quick or all(promise.kept for one in found.values() for promise in one.promises) else 1


@contextlib.contextmanager
def place(store: str, scratch: Path, server: str) -> Iterator[tuple[Path, str]]:
    """A folder and the address of an empty database; both are gone at the end."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
        url = f"sqlite:///{folder / 'town.db'}"
        if store == "postgresql":
            url = stack.enter_context(postgres_database(server))
        yield folder, url


def table(found: dict[str, Found]) -> str:
    """As people read it."""
    lines = [f"{'':44}{'measured':>12}  {'promise':14}"]
    for name, one in found.items():
        lines.append(name)
        for promise in one.promises:
            sign = "≥" if promise.least else "≤"
            told = f"{sign} {promise.limit:g} {promise.unit}".rstrip()
            kept = "kept" if promise.kept else "BROKEN"
            lines.append(f"  {promise.what:42}{promise.value:12,.2f}  {told:14}{kept}")
        for what, value in one.also.items():
            shown = value if isinstance(value, str) else f"{value:,.2f}"
            lines.append(f"  {what:42}{shown:>12}")
    return "\n".join(lines)


def keep(module: str, told: object) -> Path:
    """Keep figures as var/bench/<module>-<commit>.json."""
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{module}-{commit()}.json"
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    return path


async def until(look: Callable[[], bool], what: str, seconds: float = 60, every: float = 0.005) -> None:
    """Wait until something of another process is so. Raises TimeoutError that names it."""
    end = time.monotonic() + seconds
    while not look():
        if time.monotonic() > end:
            raise TimeoutError(f"not in {seconds:.0f} s: {what}")
        await asyncio.sleep(every)


async def at_rest(figures: Figures, wanted: int, quiet: float = 30) -> None:
    """Wait until so many sends were accepted, or nothing has come for `quiet` seconds."""
    last, since = len(figures.accepts), time.monotonic()
    while len(figures.accepts) < wanted:
        if len(figures.accepts) != last:
            last, since = len(figures.accepts), time.monotonic()
        if time.monotonic() - since > quiet:
            return
        await asyncio.sleep(0.05)


def taught() -> None:
    """What reads texts is learnt before anything is measured, as in the image, and not beside the bot's work."""
    pack, cache = topics.load(ROOT / "content" / "lokeren"), ROOT / "var" / "cache"
    if not teaching.is_fresh(pack, cache):
        teaching.rebuild(pack.folder, cache)


def know(database: Database, telegram_ids: Collection[int]) -> list[str]:
    """These people have written before and chosen Dutch; their person ids, in order."""
    now = Clock().now()

    def meet(db: sa.Connection) -> list[str]:
        made = []
        for one in telegram_ids:
            person = people.meet(db, one, "nl", now)
            people.choose_language(db, person.id, "nl")
            made.append(person.id)
        return made

    return database.run_now(meet)


def opened(environment: dict[str, str]) -> Database:
    """The database of a bot that has this environment; to be closed."""
    from bot.parts import make_database

    prefix = "WEGWIJS_"
    given = {name.removeprefix(prefix).lower(): value for name, value in environment.items() if name.startswith(prefix)}
    return make_database(load(_env_file=None, **given))
