"""Whatever Telegram sends: every update is taken in, none stops the rest, and who writes next is answered."""

from __future__ import annotations

import asyncio
import copy
import json
import os
from pathlib import Path
from typing import Any

import aiohttp
import hypothesis
import pytest
import sqlalchemy as sa
from hypothesis import strategies as st

from bot.app import App
from bot.env_file import made_keys
from bot.settings import load
from bot.storage import migrate, tables
from bot.telegram.updates import raw_updates
from bot.web import SECRET_HEADER
from simulator import crowd, people, server
from tests.faults.rig import free_port

ROOT = Path(__file__).parent.parent
SECRET = "f" * 40
TOKEN = "123456:token-of-the-fuzz-tests-that-opens-nothing"
MANY = int(os.environ.get("WEGWIJS_FUZZ", "1200"))
SEED = int(os.environ.get("WEGWIJS_SEED", "20300107"))
STAFF = -1001000000001

WHO = {"id": 777, "is_bot": False, "first_name": "Amina", "username": "amina", "language_code": "ar"}
ROOM = {"id": 777, "type": "private", "first_name": "Amina"}
GROUP = {"id": STAFF, "type": "supergroup", "title": "Onthaal", "is_forum": True}
MESSAGE = {"message_id": 5, "date": 1893456000, "chat": ROOM, "from": WHO}
FILE = {"file_id": "AgAD", "file_unique_id": "u1"}
MEMBER = {"user": WHO, "status": "member"}
GONE = {**MEMBER, "status": "kicked"}
CHANGE = {"chat": ROOM, "from": WHO, "date": 1, "old_chat_member": MEMBER, "new_chat_member": GONE}
TAP = {"id": "9", "from": WHO, "message": MESSAGE, "chat_instance": "1", "data": "language:nl"}
REACTION = {"chat": ROOM, "user": WHO, "message_id": 5, "date": 1, "old_reaction": [], "new_reaction": []}
VALID: list[dict[str, Any]] = [
    {"message": {**MESSAGE, "text": "waar kan ik Nederlands oefenen"}},
    {"message": {**MESSAGE, "text": "/start l_ar", "entities": [{"type": "bot_command", "offset": 0, "length": 6}]}},
    {"message": {**MESSAGE, "text": "اريد ان اتعلم الهولندية \u202e\u200f"}},
    {"message": {**MESSAGE, "voice": {**FILE, "duration": 3, "mime_type": "audio/ogg"}}},
    {"message": {**MESSAGE, "photo": [{**FILE, "width": 9, "height": 9}], "caption": "brief", "media_group_id": "7"}},
    {"message": {**MESSAGE, "document": {**FILE, "file_name": "brief.pdf"}}},
    {"message": {**MESSAGE, "contact": {"phone_number": "+32470000000", "first_name": "A", "user_id": 777}}},
    {"message": {**MESSAGE, "location": {"latitude": 51.1, "longitude": 3.99}}},
    {"message": {**MESSAGE, "sticker": {**FILE, "emoji": "😀"}}},
    {"message": {**MESSAGE, "poll": {"id": "1", "question": "?", "options": []}}},
    {"message": {**MESSAGE, "chat": GROUP, "message_thread_id": 4, "is_topic_message": True, "text": "/dossiers"}},
    {"message": {**MESSAGE, "chat": GROUP, "migrate_from_chat_id": -5}},
    {"message": {**MESSAGE, "reply_to_message": {**MESSAGE, "message_id": 3}, "text": "ja"}},
    {"edited_message": {**MESSAGE, "edit_date": 3, "text": "anders"}},
    {"callback_query": TAP},
    {"callback_query": {**TAP, "message": {**MESSAGE, "date": 0}, "data": "coming:1"}},
    {"my_chat_member": CHANGE},
    {"chat_member": {**CHANGE, "chat": GROUP}},
    {"message_reaction": REACTION},
    {"inline_query": {"id": "1", "from": WHO, "query": "", "offset": ""}},
    {"poll_answer": {"poll_id": "1", "user": WHO, "option_ids": [0]}},
    {"business_message": {**MESSAGE, "text": "x"}},
    {"chat_join_request": {"chat": GROUP, "from": WHO, "user_chat_id": 777, "date": 1}},
]  # fmt: skip
ROUTES = (
    "menu", "person", "sos", "language:xx", "topic:", "topic:nowhere", "programme:x", "coming:99999999999999999999",
    "cannot:-1", "take:1", "case:1", "close:0", "mine:٣", "danger:suicide", "erase:yes", ":", "::", "a" * 64,
)  # fmt: skip

odd = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([0, -1, 2**31, 2**53, 2**63, -(2**63), 2**64, 10**40]),
    st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=40),
    st.sampled_from(["", "\x00", "\ud800", "\u202e" * 30, "\u200b\u200d", "🧑‍🧑‍🧒" * 40, "x" * 5000, "/" * 300]),
    st.sampled_from(["/start " + "y" * 99, "/menu@nobody", "/language xx", "/staff", "/erase now"]),
    st.sampled_from(ROUTES), st.just([]), st.just({}), st.just([{}]), st.just({"id": "no"}),
    st.just(json.loads("[" * 40 + "]" * 40)),
)  # fmt: skip
anything = st.recursive(
    odd, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
)
NAMES = ("message", "callback_query", "odd", "chat_member")


def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in JSON-like data."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here] * bool(here) + [found for name, one in inner for found in places(one, (*here, name))]


@st.composite
def updates(draw: st.DrawFn) -> dict[str, Any]:
    """An update without its number: a documented one with up to three places changed, or any JSON at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.dictionaries(st.sampled_from(NAMES), anything, max_size=3))
    update: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(VALID)))
    for _ in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(places(update)))
        at: Any = update
        for name in way:
            at = at[name]
        if draw(st.booleans()):
            at[last] = copy.deepcopy(draw(odd))  # or a later change would reach into the strategy
        elif isinstance(at, dict):
            del at[last]
        if not update:
            break
    return update


def drawn(count: int) -> list[dict[str, Any]]:
    """So many of them; the same for the same WEGWIJS_SEED."""
    found: list[dict[str, Any]] = []

    @hypothesis.seed(SEED)
    @hypothesis.settings(
        max_examples=count, database=None, deadline=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(updates())
    def take(one: dict[str, Any]) -> None:
        found.append(one)

    take()
    return found


@hypothesis.given(st.lists(anything | updates(), max_size=5) | anything)
def test_no_answer_of_telegram_stops_the_polling(batch: Any) -> None:
    for one in raw_updates(batch):
        assert -(2**63) <= one.update_id < 2**63
        one.raw.encode()


async def quiet(app: App) -> None:
    """Nothing waits any more that is due, and nothing is stuck; fails with what is."""

    def waits(db: sa.Connection) -> list[str]:
        box, now = tables.outbox.c, app.clock.now()
        due = box.state.in_(("planned", "sending")) & (box.due_at <= now)
        rows = db.execute(sa.select(box.kind, box.lane, box.state, box.attempts, box.fault).where(due))
        inbox = db.scalars(sa.select(tables.inbox.c.update_id).where(tables.inbox.c.state == "waiting"))
        return [str(row) for row in rows] + [f"update {number}" for number in inbox]

    left = ["everything"]
    for _ in range(600):
        left = await app.database.read(waits)
        if not left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError("stuck: " + "\n".join(left))


@pytest.mark.parametrize(("engine", "webhook"), [("aiogram", True), ("ptb", False), ("aiogram", False), ("ptb", True)])
async def test_everything_is_taken_in_and_nothing_stops(engine: str, webhook: bool, tmp_path: Path) -> None:
    town = await server.start(data=None)
    try:
        await everything_is_taken_in(town, engine, webhook, tmp_path)
    finally:
        await town.close()


async def everything_is_taken_in(town: server.Running, engine: str, webhook: bool, tmp_path: Path) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
    town.world.limits.on = False
    port = free_port()
    settings = load(
        _env_file=None, telegram_token=TOKEN, telegram_api_url=town.url, engine=engine, pace="off", http_port=port,
        database_url=f"sqlite:///{tmp_path / 'fuzz.db'}", staff_chat_id=STAFF, log_level="ERROR",
        content=ROOT / "content" / "lokeren", cache=ROOT / "var" / "cache",
        webhook_url="https://bot.example/telegram", **{**made_keys(), "webhook_secret": SECRET},
    )  # fmt: skip
    app = App(settings, webhook=webhook)
    await app.database.run(migrate.upgrade)
    bodies = drawn(MANY // 4)
    async with asyncio.TaskGroup() as group:
        serving = group.create_task(app.serve())
        await app.ready.wait()
        if webhook:
            await posted(bodies, port)
        else:
            polled(town, bodies)
        async with asyncio.timeout(120):
            while town.world.state.pending:
                await asyncio.sleep(0.05)
        await quiet(app)
        (asker,) = crowd.register(town.world, 1)
        if webhook:
            one = {"message": {**MESSAGE, "chat": {**ROOM, "id": asker}, "from": {**WHO, "id": asker}, "text": "/menu"}}
            await posted([one], port, first=10**6)
        else:
            people.write(town.world, asker, {"text": "/menu"})
            async with asyncio.timeout(30):
                while town.world.state.pending:
                    await asyncio.sleep(0.05)
        await quiet(app)
        assert any(one.chat == asker for one in town.world.figures.accepts), "nobody is answered any more"
        rows = await app.database.read(
            lambda db: db.execute(
                sa.select(tables.inbox.c.update_id, tables.inbox.c.fault).where(tables.inbox.c.state == "parked")
            ).all()
        )
        bugs = [row for row in rows if row.fault != "unreadable"]
        told = [f"{row.fault}: {json.dumps(bodies[row.update_id - 1])[:600]}" for row in bugs]
        assert not told, "handlers failed:\n" + "\n".join(told)
        app.stop()
        await serving
    assert not faults, faults


async def posted(bodies: list[dict[str, Any]], port: int, first: int = 1) -> None:
    """As Telegram posts them; none is answered with an error of the server."""
    slots = asyncio.Semaphore(20)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:

        async def post(update: dict[str, Any]) -> None:
            async with slots, session.post(
                f"http://127.0.0.1:{port}/telegram", data=json.dumps(update), headers={SECRET_HEADER: SECRET}
            ) as answer:
                assert answer.status == 200, f"{answer.status} for {json.dumps(update)[:600]}"

        for number, body in enumerate(bodies, first):
            group.create_task(post({"update_id": number, **body}))


def polled(town: server.Running, bodies: list[dict[str, Any]]) -> None:
    """As they would lie at Telegram."""
    for number, body in enumerate(bodies, 1):
        town.world.state.pending[number] = {"update_id": number, **body}
    town.world.state.last_update_id = len(bodies)
    town.world.bells.ring("updates")
