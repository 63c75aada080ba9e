"""Who is measured, started as processes of their own; it must not measure."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bare import PATH, TOKEN
from bot.env_file import made_keys
from simulator.server import Running
from tests.faults.rig import free_port
from tests.stores import postgres_database

ROOT = Path(__file__).parent.parent
BOT_CORE, OTHER_CORE = 1, 0
TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Contender:
    """A bare bot, or ours on a database."""

    name: str  # aiogram, ptb, ptb-aiohttp, aiohttp
    way: str  # polling, webhook
    store: str = ""  # sqlite, postgresql; "": a bare bot

    def __str__(self) -> str:
        return f"wegwijs {self.name} {self.way} {self.store}" if self.store else f"bare {self.name} {self.way}"


CONTENDERS = [
    Contender("aiogram", "polling"),
    Contender("aiogram", "webhook"),
    Contender("ptb", "polling"),
    Contender("ptb-aiohttp", "polling"),
    Contender("aiohttp", "polling"),
    Contender("aiohttp", "webhook"),
    *(
        Contender(engine, way, store)
        for engine in ("aiogram", "ptb")
        for store in ("sqlite", "postgresql")
        for way in ("polling", "webhook")
    ),
]


@dataclass(frozen=True)
class Ready:
    """What starts a contender; the environment is empty for a bare bot."""

    command: list[str]
    environment: dict[str, str]


def settings_for(url: str, database_url: str, engine: str, port: int, **given: str) -> dict[str, str]:
    """The environment of a bot of ours before the simulator at `url`."""
    told = {
        "telegram_token": TOKEN, "telegram_api_url": url, "database_url": database_url, "engine": engine,
        "content": str(ROOT / "content" / "lokeren"), "cache": str(ROOT / "var" / "cache"), "pace": "off",
        "http_port": str(port), "log_level": "ERROR", "webhook_url": "https://bot.example/telegram",
        **made_keys(), **given,
    }  # fmt: skip
    return {f"WEGWIJS_{name.upper()}": value for name, value in told.items()}


@contextlib.contextmanager
def started(ready: Ready, core: int | None = BOT_CORE) -> Iterator[subprocess.Popen[bytes]]:
    """A process on one core (None: on all), ended at the end."""
    process = subprocess.Popen(
        [sys.executable, *ready.command], cwd=ROOT,
        env={**os.environ, **ready.environment, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        preexec_fn=None if core is None else lambda: os.sched_setaffinity(0, {core}),  # noqa: PLW1509 (one thread)
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(25)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def migrated(environment: dict[str, str]) -> None:
    """Make the tables."""
    subprocess.run(
        [sys.executable, "-m", "bot", "migrate"], cwd=ROOT, env={**os.environ, **environment}, check=True,
        stdout=subprocess.DEVNULL,
    )  # fmt: skip


@contextlib.contextmanager
def prepared(one: Contender, town: Running, folder: Path, server: str, **given: str) -> Iterator[Ready]:
    """A contender that may be started before this simulator; ours with its tables made.

    `server` is the address of a PostgreSQL server; `given` are settings by their names.
    """
    port = free_port()
    town.world.webhook_wait = (0.05, 0.5)
    town.world.spread = [f"http://127.0.0.1:{port}{PATH}"] if one.way == "webhook" else []
    with contextlib.ExitStack() as stack:
        if not one.store:
            yield Ready(["-m", "benchmarks.bare", one.name, one.way, town.url, str(port)], {})
            return
        url = f"sqlite:///{folder / 'bench.db'}"
        if one.store == "postgresql":
            url = stack.enter_context(postgres_database(server))
        staff = str(town.world.state.staff_id)
        environment = settings_for(town.url, url, one.name, port, staff_chat_id=staff, **given)
        migrated(environment)
        yield Ready(["-m", "bot", "run", *(["--webhook"] if one.way == "webhook" else [])], environment)


def memory(process: int) -> float:
    """MiB that a process holds."""
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def cpu_of_postgres(under: Path) -> float:
    """Seconds of CPU of all processes of the server whose data lies in the folder, and of those it has ended."""
    found = 0.0
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if str(under).encode() in line.read_bytes():
                found = max(found, cpu(int(line.parent.name)))
    return found


def cpu(process: int) -> float:
    """Seconds of CPU of a process and everything below it, also what has ended."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    used = sum(int(field) for field in fields[11:15]) / TICK
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split()
    for child in children:
        with contextlib.suppress(OSError):
            used += cpu(int(child))
    return used
