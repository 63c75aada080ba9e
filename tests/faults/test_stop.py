"""The command as an administrator runs it: it ends in good order within 20 s, and says what it refuses."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import verdict
from tests.faults.rig import LONG, ROOT, TOKEN, Combination, Rig, rig

ENDS_WITHIN = 20.0
WAYS = [("aiogram", "polling"), ("ptb", "webhook")]
if LONG:
    WAYS += [("aiogram", "webhook"), ("ptb", "polling")]


def command(town: Rig, **given: str) -> subprocess.Popen[str]:
    """`wegwijs run` as a process of its own, in the town's settings."""
    bot = town.bots[0]
    env = {**os.environ, **town.env, "WEGWIJS_HTTP_PORT": str(bot.port), **given}
    webhook = ["--webhook"] if town.combination.way == "webhook" else []
    with (town.folder / "bot0.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run", *webhook], cwd=ROOT, env=env, text=True, stdout=subprocess.DEVNULL,
            stderr=log,
        )  # fmt: skip
    bot.pid = process.pid
    return process


async def ended(process: subprocess.Popen[str], seconds: float) -> int:
    """Its exit code."""
    return await asyncio.wait_for(asyncio.to_thread(process.wait), seconds)


@pytest.mark.parametrize(("engine", "way"), WAYS)
async def test_it_ends_in_good_order_under_load(engine: str, way: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    async with rig(tmp_path, Combination(engine, way, "sqlite", 1), url, begin=False) as town:
        process = command(town)
        await town.arrive(askers=4, writers=3)
        enough = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(town.load(60, enough))
            seen = len(town.running.world.figures.accepts)
            await asyncio.wait_for(_more(town, seen + 20), 30)
            process.send_signal(signal.SIGTERM)
            code = await ended(process, ENDS_WITHIN)
            enough.set()
        assert code == 0, (tmp_path / "bot0.log").read_text(encoding="utf-8")[-2000:]
        process = command(town)
        await town.settle()
        process.send_signal(signal.SIGTERM)
        assert await ended(process, ENDS_WITHIN) == 0
        found = verdict.judge(town)
        assert not found.faults, "\n".join(found.faults)
        assert found.extra == 0, "what ended in good order has sent something twice"


async def _more(town: Rig, count: int) -> None:
    while len(town.running.world.figures.accepts) < count:
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("engine", ["aiogram", "ptb"] if LONG else ["ptb"])
async def test_a_second_poller_stops_and_says_why(engine: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    async with rig(tmp_path, Combination(engine, "polling", "sqlite", 1), url, begin=False) as town:
        first = command(town)
        await town.arrive(askers=2, writers=1)
        (tmp_path / "other").mkdir()
        async with rig(tmp_path / "other", town.combination, f"sqlite:///{tmp_path / 'other.db'}", begin=False) as two:
            second = command(two, WEGWIJS_TELEGRAM_API_URL=town.running.url)
            async with asyncio.timeout(60):
                while first.poll() is None and second.poll() is None:
                    await asyncio.sleep(0.05)
            codes = {first.poll(), second.poll()}
            assert codes == {None, 1}, f"one stops with exit code 1, the other goes on; ended with {codes}"
            stopped, goes_on = (tmp_path, second) if first.poll() == 1 else (tmp_path / "other", first)
            told = (stopped / "bot0.log").read_text(encoding="utf-8").strip().splitlines()[-1]
            assert "another" in told.lower(), told
            assert TOKEN not in told
            goes_on.send_signal(signal.SIGTERM)
            assert await ended(goes_on, ENDS_WITHIN) == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"WEGWIJS_WEBHOOK_URL": "http://bot.example/telegram"}, "WEGWIJS_WEBHOOK_URL"),
        ({"WEGWIJS_WEBHOOK_URL": ""}, "WEGWIJS_WEBHOOK_URL"),
        ({"WEGWIJS_WEBHOOK_SECRET": "short"}, "WEGWIJS_WEBHOOK_SECRET"),
        ({"WEGWIJS_WEBHOOK_SECRET": ""}, "WEGWIJS_WEBHOOK_SECRET"),
    ],
)
async def test_a_webhook_that_is_not_safe_does_not_start(given: dict[str, str], named: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    async with rig(tmp_path, Combination("ptb", "webhook", "sqlite", 1), url, begin=False) as town:
        process = command(town, **given)
        assert await ended(process, 30) == 1
        told = (tmp_path / "bot0.log").read_text(encoding="utf-8")
        assert named in told
        assert "short" not in told.replace("shorter", ""), "the secret itself is in the message"
        assert "Traceback" not in told
        assert not town.running.world.figures.hooks
