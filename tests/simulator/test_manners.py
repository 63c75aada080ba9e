"""Who may be written to, and what a badly shaped call gets: Telegram's 400, never a 500."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator import server
from simulator.client import Client
from simulator.methods import METHODS
from tests.simulator.conftest import TOKEN, Api

GROUP = -1001000000001
ODD: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = (
    "chat_id", "text", "message_id", "message_ids", "message_thread_id", "reply_markup", "reply_parameters", "commands",
    "scope", "menu_button", "reaction", "offset", "limit", "allowed_updates", "user_id", "document", "latitude",
    "longitude", "title", "from_chat_id", "name", "file_id", "callback_query_id", "url", "secret_token",
    "max_connections",
)  # fmt: skip
CALL = st.tuples(st.sampled_from([*METHODS, "getupdates"]), st.dictionaries(st.sampled_from(NAMES), ODD, max_size=5))


async def test_who_blocked_the_bot_must_press_restart(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("hello")
    await amina.do("block")
    for deed, body in (("write", {"text": "still there?"}), ("voice", {}), ("tap", {"message_id": 1, "data": "x"})):
        with pytest.raises(AssertionError, match="blocked the bot"):
            await amina.do(deed, **body)
    assert (await api.raw("sendMessage", chat_id=amina.id, text="x"))[0] == 403
    await amina.do("restart")
    await api.ok("sendMessage", chat_id=amina.id, text="welcome back")
    found = await api.ok("getUpdates")
    assert [found[-2]["my_chat_member"]["new_chat_member"]["status"], found[-1]["message"]["text"]] == [
        "member", "/start",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("sendMessage", {"reply_markup": [1]}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": 5}}),
        ("sendMessage", {"reply_markup": {"inline_keyboard": [["x"]]}}),
        ("sendMessage", {"reply_parameters": [1]}),
        ("sendMessage", {"reply_parameters": {"message_id": "first"}}),
        ("sendMessage", {"text": "\ud800"}),
        ("sendMessage", {"chat_id": 1e400}),
        ("setMyCommands", {"commands": "5"}),
        ("setMyCommands", {"commands": ["start"]}),
        ("setMyCommands", {"commands": [], "scope": 7}),
        ("deleteMessages", {"message_ids": {"a": 1}}),
        ("getUpdates", {"allowed_updates": "message"}),
        ("getUpdates", {"allowed_updates": {"a": 1}}),
    ],
)
async def test_wrong_types_are_a_400(client: Client, api: Api, method: str, params: dict[str, Any]) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    sent: dict[str, Any] = {"chat_id": amina.id, "text": "x", **params}
    status, body = await api.raw(method, **sent)
    assert (status, body["error_code"]) == (400, 400), body
    assert body["description"].startswith("Bad Request: ")
    assert await client.accepts() == []


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b"[" * 200_000, b'"text"'])
async def test_a_body_that_is_no_object_is_a_400(api: Api, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    async with api.session.post(f"{api.url}/bot{TOKEN}/sendMessage", data=body, headers=headers) as answer:
        assert (answer.status, (await answer.json())["ok"]) == (400, False)


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(calls=st.lists(CALL, min_size=5, max_size=5))
def test_no_call_gets_a_bare_500(calls: list[tuple[str, dict[str, Any]]]) -> None:
    async def ask() -> None:
        running = await server.start()
        (amina,) = running.register(1)
        async with aiohttp.ClientSession() as session:
            for name, params in calls:
                body = json.dumps({"chat_id": amina, "text": "x", **params, "timeout": 0})
                headers = {"Content-Type": "application/json"}
                async with session.post(f"{running.url}/bot{TOKEN}/{name}", data=body, headers=headers) as answer:
                    assert answer.status in {200, 400, 403, 404, 409, 429}, (name, body, await answer.text())
                    assert (await answer.json())["ok"] is (answer.status == 200)
            # Whatever was stored, the page and the log can be shown.
            for path in ("state", "log", "accepts", "figures"):
                async with session.get(f"{running.url}/control/{path}") as answer:
                    assert answer.status == 200, (path, calls, await answer.text())
        await running.close()

    asyncio.run(ask())
