"""Starts the demo: the simulator as a process of its own, and the real bot before it; it must need no token."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from bot.env_file import made_keys
from bot.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from bot.app import App

TOKEN: Final = "1:demo-token-of-the-simulator-no-secret"  # noqa: S105 (the simulator takes any)


def run(port: int, data: Path) -> None:
    """Run until Ctrl-C. Raises SettingsError when the port is taken."""
    data.mkdir(parents=True, exist_ok=True)
    with simulator(port, data / "telegram") as told:
        # The slow libraries are loaded while the other process starts.
        from bot import logs
        from bot.app import App

        logs.start("WARNING", pretty=True)
        address = told()
        app = App(settings(address, data), demo=True, clock_from=address)
        asyncio.run(_serve(app, address))


async def _serve(app: App, address: str) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(app.serve())
        group.create_task(_announce(app, address))


async def _announce(app: App, address: str) -> None:
    await app.ready.wait()
    click.echo(f"\n  Wegwijs is running. Open {address}\n  Ctrl-C ends it; what happened is kept.\n")


@contextlib.contextmanager
def simulator(port: int, data: Path) -> Iterator[Callable[[], str]]:
    """A simulator process; gives what waits for its address, and ends it afterwards."""
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--data", str(data)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603
    try:
        yield lambda: _address(process, port)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[str], port: int) -> str:
    """The address that the simulator prints. Raises SettingsError when it did not start."""
    assert process.stdout is not None  # noqa: S101 (PIPE above)
    address = next((word for word in process.stdout.readline().split() if word.startswith("http")), "")
    if not address:
        raise SettingsError(f"--port {port}: the simulator did not start; is another program using this port?")
    return address.rstrip("/")


def settings(address: str, data: Path) -> Settings:
    """The demo's settings: its own keys and database under `data`, whatever `.env` says."""
    with urllib.request.urlopen(f"{address}/control/state", timeout=10) as answer:  # noqa: S310 (our own process)
        staff_chat = int(json.load(answer)["staff_chat"])
    keys = _keys(data / "keys.json")
    return load(
        _env_file=None, telegram_token=TOKEN, telegram_api_url=address, engine="aiogram",
        database_url=f"sqlite:///{data / 'wegwijs.db'}", staff_chat_id=staff_chat,
        encryption_key=keys["encryption_key"], index_key=keys["index_key"], http_port=0,
    )  # fmt: skip


def _keys(path: Path) -> dict[str, Any]:
    """The demo's own keys, made once."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(made_keys()), encoding="utf-8")
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept
