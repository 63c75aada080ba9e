"""A town under fire: the simulator, bots as processes of their own that are killed, people who go on writing.

The verdict is the simulator's accept log joined with the database: what came in had one effect, what left arrived.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot import failpoints
from bot.clock import Clock
from bot.env_file import made_keys
from bot.people import telegram_id
from bot.storage import migrate, tables
from bot.storage.database import Database
from bot.storage.vault import Vault
from simulator import crowd, people, server

ROOT = Path(__file__).parent.parent.parent
TOKEN = "123456:token-of-the-fault-tests-that-opens-nothing"
PATIENCE = 90.0
BETWEEN = 8  # texts from one kill to the next, at least: a kill before anybody wrote proves nothing
LONG = os.environ.get("WEGWIJS_FAULTS") == "long"
"""`make faults`: everything on both engines and at full length."""
QUESTION = "waar kan ik Nederlands oefenen"
LEASE = (2.0, 0.5)
"""Seconds that a lease lasts and between renewals: shorter than in life, so that more is killed in less time."""


@dataclass(frozen=True)
class Combination:
    """What is put under fire."""

    engine: str
    way: str  # polling, webhook
    store: str  # sqlite, postgresql
    processes: int

    def __str__(self) -> str:
        return f"{self.engine}-{self.way}-{self.store}-{self.processes}"


COMBINATIONS = [
    Combination(engine, way, store, processes)
    for engine in ("aiogram", "ptb")
    for way in ("polling", "webhook")
    for store in ("sqlite", "postgresql")
    for processes in ((1,) if store == "sqlite" else (1, 3))
]


class Zygote:
    """Forks bots of one engine."""

    def __init__(self, engine: str, env: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote", engine],
            cwd=ROOT, env={**os.environ, **env, "OPENBLAS_NUM_THREADS": "1"}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._answer()

    def start(self, **wish: object) -> int:
        """A new bot; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return int(self._answer()["pid"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the process that starts bots has ended; see its standard error above"
        found: dict[str, Any] = json.loads(line)
        return found

    def close(self) -> None:
        self._process.communicate(timeout=10)


def lives(pid: int) -> bool:
    """Whether a process is still there; one that nobody has waited for yet is not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def gone(pid: int, seconds: float) -> bool:
    """Wait until a process has ended."""
    end = time.monotonic() + seconds
    while lives(pid):
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.01)  # the end of a stranger's child cannot be awaited
    return True


@dataclass
class Bot:
    """One of the processes: where it listens and how it runs now."""

    number: int
    port: int
    pid: int = 0
    failpoint: str = ""


@dataclass
class Rig:
    """Everything that is there while bots are killed."""

    combination: Combination
    folder: Path
    running: server.Running
    database: Database
    env: dict[str, str]
    zygote: Zygote
    bots: list[Bot]
    lease: tuple[float, float]
    dice: random.Random
    askers: list[int] = field(default_factory=list)
    writers: list[int] = field(default_factory=list)
    asked: dict[int, int] = field(default_factory=dict)
    written: list[tuple[int, str]] = field(default_factory=list)
    answers_before: dict[int, int] = field(default_factory=dict)
    kills: int = 0
    fired: dict[str, int] = field(default_factory=dict)

    # --- processes ------------------------------------------------------------------------------------------------

    def start(self, bot: Bot, failpoint: str = "") -> None:
        """Start one of the bots, with a failpoint armed or none."""
        bot.failpoint = failpoint
        env = {**self.env, "WEGWIJS_HTTP_PORT": str(bot.port), "WEGWIJS_FAILPOINT": failpoint}
        log = str(self.folder / f"bot{bot.number}.log")
        webhook = self.combination.way == "webhook"
        bot.pid = self.zygote.start(env=env, webhook=webhook, log=log, lease=self.lease)

    async def kill(self, bot: Bot) -> None:
        """Kill -9, now."""
        if lives(bot.pid):
            os.kill(bot.pid, signal.SIGKILL)
        assert await gone(bot.pid, 10), f"process {bot.pid} does not die"

    async def stop(self, bot: Bot, seconds: float = 25.0) -> None:
        """SIGTERM: it ends by itself, in good order."""
        os.kill(bot.pid, signal.SIGTERM)
        assert await gone(bot.pid, seconds), f"not ended {seconds} s after SIGTERM; see {self.folder}/bot*.log"

    async def kill_often(self, times: int) -> None:
        """Kill one bot after the other, half of them at a failpoint, and start them again; some texts come between."""
        for _ in range(times):
            enough = self.sent_in() + BETWEEN
            while self.sent_in() < enough:
                await asyncio.sleep(0.02)
            bot = self.dice.choice(self.bots)
            if bot.failpoint:
                if await gone(bot.pid, 3.0):
                    name = bot.failpoint.partition(":")[0]
                    self.fired[name] = self.fired.get(name, 0) + 1
            else:
                await asyncio.sleep(self.dice.uniform(0.05, 1.2))
            await self.kill(bot)
            self.kills += 1
            name = self.dice.choice(failpoints.NAMES)
            self.start(bot, f"{name}:kill:{self.dice.randint(1, 6)}" if self.dice.random() < 0.5 else "")

    def sent_in(self) -> int:
        """How many texts people wrote so far."""
        return len(self.written) + sum(self.asked.values())

    def balance(self, *without: Bot) -> None:
        """What a load balancer does when a health check fails: the others get the webhook's posts."""
        self.running.world.spread = [f"http://127.0.0.1:{bot.port}/telegram" for bot in self.bots if bot not in without]

    def told(self, words: str) -> list[str]:
        """The lines in the logs of all bots with these words."""
        logs = [path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("bot*.log"))]
        return [line for log in logs for line in log.splitlines() if words in line]

    # --- people ---------------------------------------------------------------------------------------------------

    async def settle(self, seconds: float = PATIENCE) -> None:
        """Wait until nothing waits any more; fails with what does."""
        end = time.monotonic() + seconds
        while waits := self.waits():
            if time.monotonic() > end:
                logs = "\n".join(
                    path.read_text(encoding="utf-8")[-3000:] for path in sorted(self.folder.glob("bot*.log"))
                )
                raise AssertionError(f"{self.combination}: still {waits} after {seconds:.0f} s\n{logs}")
            await asyncio.sleep(0.1)  # several processes and a database: there is no one event to await

    def waits(self) -> str:
        """What is not done yet."""
        if self.running.world.state.pending:
            return f"{len(self.running.world.state.pending)} updates at Telegram"

        def look(db: sa.Connection) -> str:
            waiting = db.scalar(sa.select(sa.func.count()).where(tables.inbox.c.state == "waiting"))
            soon = Clock().now() + dt.timedelta(hours=1)  # what was put off counts, a reminder of next year does not
            box = db.execute(
                sa.select(tables.outbox.c.state, tables.outbox.c.kind, sa.func.count())
                .where(tables.outbox.c.state.in_(("planned", "sending")), tables.outbox.c.due_at <= soon)
                .group_by(tables.outbox.c.state, tables.outbox.c.kind)
            ).all()
            return f"{waiting} updates, deliveries {box}" if waiting or box else ""

        return self.database.read_now(look)

    async def arrive(self, askers: int = 8, writers: int = 5) -> None:
        """People come: some ask questions, some have a case with staff."""
        world = self.running.world
        self.askers = crowd.register(world, askers)
        self.writers = crowd.register(world, writers)
        for one in self.askers + self.writers:
            people.write(world, one, {"text": "/start"})
        await self.settle()
        for one in self.askers + self.writers:
            self.tap(one, "language:nl")
        for one in self.writers:
            people.write(world, one, {"text": "/person"})
        await self.settle()
        for one in self.writers:
            people.write(world, one, {"text": "ik wil graag met iemand praten"})
        await self.settle()
        self.answers_before = self.database.read_now(_answers)

    def tap(self, user: int, data: str) -> None:
        """Tap the newest button that says this."""
        messages = self.running.world.state.chats[user].messages
        for number in sorted(messages, reverse=True):
            rows = (messages[number].get("reply_markup") or {}).get("inline_keyboard", [])
            if any(key.get("callback_data") == data for row in rows for key in row):
                people.tap(self.running.world, user, {"message_id": number, "data": data})
                return
        raise AssertionError(f"no button {data} for {user}")

    async def load(self, rate: float, until: asyncio.Event) -> None:
        """People write, about `rate` texts a second, until the event."""
        number = 0
        while not until.is_set():
            if self.dice.random() < 0.5:
                one = self.dice.choice(self.askers)
                self.asked[one] = self.asked.get(one, 0) + 1
                people.write(self.running.world, one, {"text": QUESTION})
            else:
                one = self.dice.choice(self.writers)
                number += 1
                words = f"bericht {number:06d} einde"
                self.written.append((one, words))
                people.write(self.running.world, one, {"text": words})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(until.wait(), 1 / rate)


def _answers(db: sa.Connection) -> dict[int, int]:
    """How many answers were planned to each Telegram id."""
    found: dict[int, int] = {}
    for row in db.execute(sa.select(tables.outbox.c.person_id).where(tables.outbox.c.kind == "answer")):
        one = telegram_id(db, row.person_id) or 0 if row.person_id else 0
        found[one] = found.get(one, 0) + 1
    return found


def free_port() -> int:
    """A port that nobody listens at now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def rig(
    folder: Path, combination: Combination, database_url: str, *, seed: int = 0, lease: tuple[float, float] = LEASE,
    limits: bool = False, begin: bool = True, **given: str,
) -> AsyncIterator[Rig]:  # fmt: skip
    """The town, with its bots started. `given` are settings in capital letters, without prefix."""
    running = await server.start(data=None)
    running.world.limits.on = limits
    keys = made_keys()
    cache = ROOT / "var" / "cache"
    env = {
        "WEGWIJS_TELEGRAM_TOKEN": TOKEN,
        "WEGWIJS_TELEGRAM_API_URL": running.url,
        "WEGWIJS_ENGINE": combination.engine,
        "WEGWIJS_DATABASE_URL": database_url,
        "WEGWIJS_STAFF_CHAT_ID": str(running.world.state.staff_id),
        "WEGWIJS_CONTENT": str(ROOT / "content" / "lokeren"),
        "WEGWIJS_CACHE": str(cache),
        "WEGWIJS_PACE": "on" if limits else "off",
        "WEGWIJS_LOG_LEVEL": "INFO",
        "WEGWIJS_WEBHOOK_URL": "https://bot.example/telegram",
        **{f"WEGWIJS_{name.upper()}": value for name, value in {**keys, **given}.items()},
    }
    vault = Vault([keys["encryption_key"]], base64.b64decode(keys["index_key"]))
    database = Database(database_url, vault)
    database.run_now(migrate.upgrade)
    zygote = Zygote(combination.engine, env)
    bots = [Bot(number, free_port()) for number in range(combination.processes)]
    running.world.webhook_wait = (0.05, 0.5)
    made = Rig(combination, folder, running, database, env, zygote, bots, lease, random.Random(seed))
    if combination.way == "webhook":
        made.balance()
    try:
        if begin:
            for bot in bots:
                made.start(bot)
        yield made
    finally:
        for bot in bots:
            if bot.pid:
                await made.kill(bot)
        zygote.close()
        await running.close()
        database.close()
