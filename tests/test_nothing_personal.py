"""Nothing personal and no secret in logs, errors or metrics: canaries in every input, every library at DEBUG."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import programmes
from bot.settings import load
from bot.web import SECRET_HEADER
from simulator import people
from tests.faults.rig import ROOT, TOKEN, Combination, Rig, rig

LONG = os.environ.get("WEGWIJS_FAULTS") == "long"
SECRETS = "WEGWIJS_TELEGRAM_TOKEN", "WEGWIJS_WEBHOOK_SECRET", "WEGWIJS_ENCRYPTION_KEY", "WEGWIJS_INDEX_KEY"
NAME, NICK, CHILD = "Zyxwina", "zyxwuser", "Qvortula"
NUMBER, NATIONAL, STREET = "+32471993377", "85.07.30-033.28", "Kanariestraat 991"
STORY, ANSWER, FILE, CAPTION = "Wubbeldistel sloeg mij", "Grommelkruid helpt u", "Snorrebaard.pdf", "Flierefluiterij"
CANARIES = [
    "Griebelgrauw", NAME, NICK, CHILD, NUMBER, NUMBER[1:], NATIONAL, STREET, STORY, ANSWER, FILE, CAPTION,
    "Wubbeldistel",
]  # fmt: skip
EVERYTHING = """
import logging, sys
from bot import logs
begin = logs.start
def start(level, **given):
    begin("DEBUG", **given)
    logging.getLogger().setLevel(logging.DEBUG)
    names = "aiogram aiogram.event aiohttp.access aiohttp.client aiohttp.server aiohttp.web telegram telegram.Bot"
    names += " httpx httpcore sqlalchemy sqlalchemy.engine sqlalchemy.pool alembic apscheduler asyncio psycopg bot"
    for name in names.split():
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.captureWarnings(True)
logs.start = start
import asyncio
from bot import app
loop = app.App.serve
async def serve(self):
    asyncio.get_running_loop().set_debug(True)
    await loop(self)
app.App.serve = serve
from bot.__main__ import main
main(sys.argv[1:])
"""


def forms(canary: str) -> set[str]:
    """As it may stand in a log: bare, in a URL, in JSON, in base64 (at each of its three offsets)."""
    found = {canary, urllib.parse.quote(canary), urllib.parse.quote_plus(canary), json.dumps(canary)[1:-1]}
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + canary.encode()).decode().rstrip("=")
        found.add(coded[4 if offset else 0 : -1][:40])
    return {one for one in found if len(one) > 5}


def leaks(told: str, canaries: list[str]) -> list[str]:
    """The lines in which one of them stands."""
    wanted = {form: canary for canary in canaries for form in forms(canary)}
    return [f"{wanted[form]!r} in: {line[:400]}" for line in told.splitlines() for form in wanted if form in line]


def test_a_leak_is_found() -> None:
    for canary in CANARIES:
        coded = base64.b64encode(f"xx{canary}yy".encode()).decode()
        for told in (canary, f"a={urllib.parse.quote(canary)}&b", json.dumps({"a": canary}), coded):
            assert leaks(f"one\n{told}\ntwo", [canary]), told
    assert not leaks("nothing personal at all", CANARIES)


class Story:
    """Everything a newcomer and staff can put in."""

    def __init__(self, town: Rig) -> None:
        self.town, self.world = town, town.running.world
        self.who = int(people.add(self.world, {
            "first_name": NAME, "last_name": "Canary", "username": NICK, "language_code": "nl",
        })["id"])  # fmt: skip
        self.staff = int(people.add(self.world, {"first_name": "Griebelgrauw", "language_code": "nl"})["id"])
        people.place_in_group(self.world, self.staff, "join", {"status": "member"})

    async def write(self, text: str, **more: Any) -> None:
        people.write(self.world, self.who, {"text": text, **more})
        await self.town.settle()

    async def tap(self, prefix: str) -> None:
        messages = self.world.state.chats[self.who].messages
        for number in sorted(messages, reverse=True):
            rows = (messages[number].get("reply_markup") or {}).get("inline_keyboard", [])
            for key in (key for row in rows for key in row):
                if str(key.get("callback_data", "")).startswith(prefix):
                    people.tap(self.world, self.who, {"message_id": number, "data": key["callback_data"]})
                    await self.town.settle()
                    return
        raise AssertionError(f"no button {prefix}")

    async def told(self) -> None:
        await self.write("/start")
        await self.tap("language:nl")
        await self.write("/start p_canary")
        await self.tap("signup:")
        await self.tap("who:child")
        await self.write(CHILD)
        await self.write("12")
        await self.tap("book")
        await self.write(f"ik woon in {STREET}, mijn nummer is {NATIONAL}")
        await self.write(f"{STORY}, hij doodt mij")
        await self.write("/person")
        await self.write(f"{STORY} en ik wil met iemand praten, bel {NUMBER}")
        for deed, body in (
            ("voice", {}), ("photo", {"caption": CAPTION}), ("document", {"file_name": FILE, "caption": STORY}),
            ("contact", {"phone_number": NUMBER}), ("location", {}), ("sticker", {}),
        ):  # fmt: skip
            people.DEEDS[deed](self.world, self.who, body)
            await self.town.settle()
        staff = self.world.state.chats[self.world.state.staff_id]
        for thread in list(staff.topics):
            people.write(self.world, self.staff, {"chat": staff.id, "thread": thread, "text": ANSWER})
        people.write(self.world, self.staff, {"chat": staff.id, "text": f"/session {CHILD} {STREET}"})
        await self.town.settle()
        for kind in ("400:Bad Request: odd " + STORY, "502_json", "429:1", "drop_reply", "reset"):
            self.world.faults.add([{"method": "sendMessage", "fault": kind, "times": 1}])
            await self.write(f"waar is {STREET}")
        await self.write("/mydata")
        await self.write("/menu")


def start(town: Rig, webhook: bool) -> subprocess.Popen[str]:
    env = {**os.environ, **town.env, "WEGWIJS_HTTP_PORT": str(town.bots[0].port), "WEGWIJS_LOG_LEVEL": "DEBUG"}
    with (town.folder / "bot0.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", EVERYTHING, "run", *(["--webhook"] if webhook else [])], cwd=ROOT, env=env,
            text=True, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    town.bots[0].pid = process.pid
    return process


async def asked(town: Rig) -> str:
    """What the small web server tells, also to who posts nonsense."""
    told = []
    base = f"http://127.0.0.1:{town.bots[0].port}"
    async with aiohttp.ClientSession() as session:
        for path in ("/healthz", "/readyz", "/metrics", f"/{urllib.parse.quote(STREET)}"):
            async with session.get(base + path) as answer:
                told.append(await answer.text())
        secret = town.env["WEGWIJS_WEBHOOK_SECRET"]
        for body in (STORY, json.dumps({"update_id": 1, "message": STORY}), json.dumps([STORY]), "{" + STORY):
            for given in (secret, "wrong-" + NICK):
                async with session.post(base + "/telegram", data=body, headers={SECRET_HEADER: given}) as answer:
                    told.append(await answer.text())
    return "\n".join(told)


COMBINATIONS = [Combination("aiogram", "polling", "sqlite", 1), Combination("ptb", "webhook", "postgresql", 1)]
if LONG:
    COMBINATIONS += [Combination("aiogram", "webhook", "postgresql", 1), Combination("ptb", "polling", "sqlite", 1)]


@pytest.mark.parametrize("combination", COMBINATIONS, ids=str)
async def test_nothing_personal_is_written(
    combination: Combination, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    if combination.store == "postgresql":
        from tests.stores import postgres_database

        found = postgres_database(request.getfixturevalue("postgres"))
        url = found.__enter__()
        request.addfinalizer(lambda: found.__exit__(None, None, None))
    async with rig(tmp_path, combination, url, begin=False) as town:
        def programme(db):
            programmes.put(db, "canary", {"topic": "dutch-practice", "title": {"nl": "Oefenen"}, "seats": 3})
            about = programmes.get(db, "canary", demo=False)
            assert about is not None
            programmes.add_session(db, about, "2099-01-05T10:00", load(_env_file=None).zone)

        town.database.run_now(programme)
        process = start(town, combination.way == "webhook")
        story = Story(town)
        await story.told()
        told = await asked(town) if combination.way == "webhook" else ""
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(asyncio.to_thread(process.wait), 25) == 0
        log = (tmp_path / "bot0.log").read_text(encoding="utf-8")
        secrets = [town.env[name] for name in SECRETS if town.env.get(name)]
        assert TOKEN in secrets
        canaries = [*CANARIES, str(story.who), *secrets, TOKEN.partition(":")[2]]
        found_leaks = leaks(log + told, canaries)
        assert not found_leaks, f"{len(found_leaks)} lines:\n" + "\n".join(found_leaks[:12])
        assert log.count("\n") > 200, "the libraries are not at DEBUG"
