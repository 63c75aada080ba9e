"""The webhook over real HTTP: what is posted is stored before the 200, what is forged reaches nobody."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from bot.__main__ import main
from bot.app import App
from bot.env_file import made_keys
from bot.settings import load
from bot.storage import migrate, tables
from bot.web import BODY_MOST, SECRET_HEADER
from simulator import server
from tests.faults.rig import free_port

ROOT = Path(__file__).parent.parent
SECRET = "s" * 40
TOKEN = "123456:token-of-the-webhook-tests-that-opens-nothing"
FORGED = int(os.environ.get("WEGWIJS_FORGED", "500"))


class Hooked:
    """A bot that is posted to."""

    def __init__(self, app: App, url: str, path: Path) -> None:
        self.app = app
        self.url = url
        self.path = path
        self.session = aiohttp.ClientSession()

    async def post(self, body: Any, secret: str | None = SECRET, path: str = "/telegram") -> int:
        headers = {} if secret is None else {SECRET_HEADER: secret}
        data = body if isinstance(body, (bytes, str, io.BytesIO)) else json.dumps(body)
        async with self.session.post(self.url + path, data=data, headers=headers) as answer:
            await answer.read()
            return answer.status

    async def get(self, path: str) -> tuple[int, str]:
        async with self.session.get(self.url + path) as answer:
            return answer.status, await answer.text()

    def updates(self) -> list[int]:
        return self.app.database.read_now(lambda db: list(db.scalars(sa.select(tables.inbox.c.update_id))))

    def answers(self) -> int:
        count = sa.select(sa.func.count()).select_from(tables.outbox)
        return self.app.database.read_now(lambda db: db.scalar(count)) or 0

    async def done(self, number: int) -> None:
        """Wait until an update is handled."""
        query = sa.select(tables.inbox.c.state).where(tables.inbox.c.update_id == number)
        async with asyncio.timeout(20):
            while await self.app.database.read(lambda db: db.scalar(query)) != "done":
                await asyncio.sleep(0.01)  # nothing rings when a row changes


def text(number: int, words: str = "/menu", chat: int = 777) -> dict[str, Any]:
    who = {"id": chat, "is_bot": False, "first_name": "Probe", "language_code": "nl"}
    return {
        "update_id": number,
        "message": {
            "message_id": number, "date": 1, "chat": {"id": chat, "type": "private"}, "from": who, "text": words,
        },
    }  # fmt: skip


@contextlib.asynccontextmanager
async def bot_behind(folder: Path) -> AsyncIterator[Hooked]:
    running = await server.start()
    port = free_port()
    path = folder / "hook.db"
    settings = load(
        _env_file=None, telegram_token=TOKEN, telegram_api_url=running.url, database_url=f"sqlite:///{path}",
        content=ROOT / "content" / "lokeren", cache=ROOT / "var" / "cache", http_port=port, pace="off",
        **{**made_keys(), "webhook_url": "https://bot.example/telegram", "webhook_secret": SECRET},
    )  # fmt: skip
    app = App(settings, webhook=True)
    app.database.run_now(migrate.upgrade)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(app.serve())
        ready = group.create_task(app.ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        hooked = Hooked(app, f"http://127.0.0.1:{port}", path)
        try:
            yield hooked
        finally:
            ready.cancel()
            await hooked.session.close()
            app.stop()
    assert running.world.state.webhook["url"] == "https://bot.example/telegram"
    await running.close()


async def test_what_is_posted_is_handled_once(tmp_path: Path) -> None:
    async with bot_behind(tmp_path) as bot:
        assert await bot.post(text(1)) == 200
        assert bot.updates() == [1], "the 200 goes out after the commit"
        await bot.done(1)
        answered = bot.answers()
        assert answered > 0
        assert await bot.post(text(1)) == 200
        assert await bot.post(text(2, chat=778)) == 200
        await bot.done(2)
        assert sorted(bot.updates()) == [1, 2]
        assert bot.answers() == 2 * answered


async def test_a_wrong_secret_is_refused(tmp_path: Path) -> None:
    async with bot_behind(tmp_path) as bot:
        for secret in (None, "", "s" * 39, "t" * 40, "\u00e9" * 40, "s" * 5000, "ś" * 3):
            assert await bot.post(text(1), secret) == 401, repr(secret)
        assert bot.updates() == []


async def test_what_is_no_update_is_counted_and_dropped(tmp_path: Path) -> None:
    bodies = [
        b"", b"{", b"\xff\xfe", b"[]", b"null", b"7", b'"x"', b"{}", b'{"update_id": "1"}', b'{"update_id": true}',
        b'{"update_id": -1}', b'{"update_id": 1.5}', b'{"update_id": 1180591620717411303424}', b'{"update_id": NaN}',
        b'{"update_id": null}', b"[" * 100_000, b'{"a":' * 50_000,
    ]  # fmt: skip
    async with bot_behind(tmp_path) as bot:
        for body in bodies:
            assert await bot.post(body) == 200, body[:40]
        assert bot.updates() == []
        _, told = await bot.get("/metrics")
        assert 'wegwijs_updates_dropped_total{why="unreadable"}' in told
        assert await bot.post(io.BytesIO(b"x" * (BODY_MOST + 1))) == 413
        assert await bot.post(text(5)) == 200


async def test_only_posts_to_the_path_of_the_address(tmp_path: Path) -> None:
    async with bot_behind(tmp_path) as bot:
        assert await bot.post(text(1), path="/") == 404
        assert await bot.post(text(1), path="/telegram/more") == 404
        assert (await bot.get("/telegram"))[0] == 405
        assert TOKEN.partition(":")[2] not in bot.app.settings.webhook_url


async def test_what_cannot_be_stored_is_not_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.storage.database.BUSY_TIMEOUT_MS", 300)
    async with bot_behind(tmp_path) as bot:
        assert await bot.post(text(1)) == 200
        await bot.done(1)
        other = sqlite3.connect(bot.path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        try:
            assert await bot.post(text(2)) == 503
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert 2 not in bot.updates()
        assert await bot.post(text(2)) == 200
        await bot.done(2)


async def test_nothing_is_taken_in_once_it_ends(tmp_path: Path) -> None:
    async with bot_behind(tmp_path) as bot:
        bot.app._stop.is_set = lambda: True  # type: ignore[method-assign]  # the moment between signal and closed port
        assert await bot.post(text(1)) == 503
        assert (await bot.get("/readyz"))[0] == 503
        del bot.app._stop.is_set
        assert bot.updates() == []


async def test_it_says_how_it_is(tmp_path: Path) -> None:
    async with bot_behind(tmp_path) as bot:
        for path in ("/healthz", "/readyz"):
            status, told = await bot.get(path)
            assert status == 200, told
        assert json.loads(told)["tables"] == "current"
        await bot.post(text(1, "ik heet Mirjam Canary", chat=424242424242))
        await bot.done(1)
        _, told = await bot.get("/metrics")
        assert "wegwijs_updates_total" in told
        assert "424242424242" not in told
        assert "Canary" not in told


async def test_forged_posts_reach_nobody(tmp_path: Path) -> None:
    dice = random.Random(7)
    async with bot_behind(tmp_path) as bot:
        found: dict[int, int] = {}
        slots = asyncio.Semaphore(20)

        async def forge(number: int) -> None:
            secret = dice.choice([None, "x" * dice.randint(1, 60), SECRET[:-1], SECRET + "s", SECRET.upper()])
            body = dice.choice([json.dumps(text(number)), "{" * dice.randint(1, 900), "", dice.randbytes(300)])
            async with slots:
                status = await bot.post(body, secret)
            found[status] = found.get(status, 0) + 1

        await asyncio.gather(*(forge(number) for number in range(1, FORGED + 1)))
        assert found == {401: FORGED}
        assert bot.updates() == []
        assert bot.answers() == 0


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "WEGWIJS_WEBHOOK_URL"),
        ({"WEGWIJS_WEBHOOK_URL": "http://bot.example/x", "WEGWIJS_WEBHOOK_SECRET": SECRET}, "WEGWIJS_WEBHOOK_URL"),
        ({"WEGWIJS_WEBHOOK_URL": "https://bot.example/x"}, "WEGWIJS_WEBHOOK_SECRET"),
        ({"WEGWIJS_WEBHOOK_URL": "https://bot.example/x", "WEGWIJS_WEBHOOK_SECRET": "short"}, "WEGWIJS_WEBHOOK_SECRET"),
    ],
)
def test_it_does_not_start_without_address_and_secret(given: dict[str, str], named: str) -> None:
    keys = {f"WEGWIJS_{name.upper()}": value for name, value in made_keys().items() if name != "webhook_secret"}
    env = {**keys, "WEGWIJS_TELEGRAM_TOKEN": TOKEN, "WEGWIJS_WEBHOOK_SECRET": "", **given}
    told = CliRunner().invoke(main, ["run", "--webhook"], env=env)
    assert told.exit_code == 1
    assert named in told.output
    assert "Traceback" not in told.output
    assert "short" not in told.output
