"""A thousand kills: each combination under load, in parts, and one table of everything that one commit went through.

`python -m tests.faults.kills` kills; `--only ptb-webhook` a part of the combinations, `--kills 90` times each, and
`--table` only adds up what is there. Parts lie in var/faults/<commit>/; the command ends with 1 when a promise broke.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, fields
from pathlib import Path

from tests.faults import verdict
from tests.faults.rig import COMBINATIONS, ROOT, Combination, rig
from tests.faults.verdict import Verdict
from tests.stores import postgres_database, postgres_server

PART = 30
"""Kills between two looks at the verdict."""


async def killed(combination: Combination, database_url: str, folder: Path, *, kills: int, seed: int) -> Verdict:
    """One town, `kills` kills under load, a last restart of everything, and what became of it."""
    async with rig(folder, combination, database_url, seed=seed) as town:
        await town.arrive()
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(town.load(40, enough))
            await town.kill_often(kills)
            enough.set()
        for bot in town.bots:
            await town.kill(bot)
            town.start(bot)
        await town.settle()
        return verdict.judge(town)


def commit() -> str:
    """What is under fire; "-changed" when the tree differs from it."""
    told = [
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
        for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
    ]
    return told[0] + ("-changed" if told[1] else "")


def added_up(folder: Path) -> list[Verdict]:
    """One verdict per combination, of all parts in the folder."""
    sums: dict[str, Verdict] = {}
    for path in sorted(folder.glob("*.json")):
        part = Verdict(**json.loads(path.read_text(encoding="utf-8"))["verdict"])
        whole = sums.setdefault(part.combination, Verdict(part.combination, 0))
        for one in fields(Verdict):
            was, more = getattr(whole, one.name), getattr(part, one.name)
            if one.name == "fired":
                whole.fired = {name: was.get(name, 0) + more.get(name, 0) for name in sorted({*was, *more})}
            elif one.name == "extra_most":
                whole.extra_most = max(was, more)
            elif one.name != "combination":
                setattr(whole, one.name, was + more)
    return list(sums.values())


def show(folder: Path) -> int:
    """Print the table; 1 when a promise broke."""
    found = added_up(folder)
    print(verdict.table(found))
    fired: dict[str, int] = {}
    for one in found:
        for name, times in one.fired.items():
            fired[name] = fired.get(name, 0) + times
    print(f"\nkills: {sum(one.kills for one in found)}; at a failpoint:")
    print("  " + ", ".join(f"{name} {times}" for name, times in sorted(fired.items())))
    faults = [f"{one.combination}: {fault}" for one in found for fault in one.faults]
    print("\n".join(faults) if faults else "every promise was kept")
    return 1 if faults else 0


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    words.add_argument("--only", default="", help="part of the name of a combination, such as ptb or sqlite-1")
    words.add_argument("--kills", type=int, default=90, help="per combination")
    words.add_argument("--seed", type=int, default=None, help="dice of the first part; printed otherwise")
    words.add_argument("--table", action="store_true", help="kill nothing, add up what is there")
    asked = words.parse_args()
    parts = ROOT / "var" / "faults" / commit()
    if asked.table:
        return show(parts)
    parts.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    chosen = [one for one in COMBINATIONS if asked.only in str(one)]
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(10**6)
    with contextlib.ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="wegwijs-faults-")))
        server = ""
        if any(one.store == "postgresql" for one in chosen):
            server = stack.enter_context(postgres_server(scratch / "postgres"))
        for left in range(asked.kills, 0, -PART):
            for combination in chosen:
                begun = time.monotonic()
                with contextlib.ExitStack() as inner:
                    folder = Path(inner.enter_context(tempfile.TemporaryDirectory(dir=scratch)))
                    url = f"sqlite:///{folder / 'town.db'}"
                    if combination.store == "postgresql":
                        url = inner.enter_context(postgres_database(server))
                    try:
                        found = asyncio.run(killed(combination, url, folder, kills=min(PART, left), seed=seed))
                    except AssertionError as error:  # it did not come to rest: told in the table, others go on
                        found = Verdict(str(combination), 0, lost=[str(error)])
                path = parts / f"{combination}-{seed}.json"
                path.write_text(json.dumps({"seed": seed, "verdict": asdict(found)}), encoding="utf-8")
                print(f"{combination} seed {seed} {time.monotonic() - begun:.0f} s: "
                      f"{'; '.join(found.faults) or 'kept'}", flush=True)  # fmt: skip
            seed += 1
    return show(parts)


if __name__ == "__main__":
    sys.exit(main())
