"""How the bot hears of things: long polls, offsets, two pollers, webhooks, taps, members."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from simulator.client import Client
from simulator.server import Running
from tests.simulator.conftest import Api

PATIENCE = 5


def kinds(updates: list[dict[str, Any]]) -> list[str]:
    return [next(name for name in update if name != "update_id") for update in updates]


async def polling(running: Running, api: Api, **params: Any) -> asyncio.Task[tuple[int, dict[str, Any]]]:
    """A long poll that has arrived at the simulator."""
    before = running.world.poller
    task = asyncio.get_running_loop().create_task(api.raw("getUpdates", timeout=30, **params))
    async with asyncio.timeout(PATIENCE):
        await running.world.bells.until("updates", lambda: running.world.poller > before or None, PATIENCE)
    return task


async def test_a_long_poll_wakes_and_the_offset_acknowledges(running: Running, client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina", "ar")
    poll = await polling(running, api)
    await amina.write("/start")
    async with asyncio.timeout(PATIENCE):
        _, body = await poll
    (update,) = body["result"]
    assert update["message"]["from"]["language_code"] == "ar"
    assert update["message"]["entities"] == [{"offset": 0, "length": 6, "type": "bot_command"}]
    assert await api.ok("getUpdates") == [update]  # not acknowledged: once more
    assert await api.ok("getUpdates", offset=update["update_id"] + 1) == []
    assert await api.ok("getUpdates") == []


async def test_the_second_poller_ends_the_first_with_409(running: Running, client: Client, api: Api) -> None:
    first = await polling(running, api)
    second = await polling(running, api)
    async with asyncio.timeout(PATIENCE):
        status, body = await first
    assert (status, "terminated by other getUpdates" in body["description"]) == (409, True)
    await (await client.newcomer("Amina")).write("/start")
    async with asyncio.timeout(PATIENCE):
        assert (await second)[0] == 200


async def test_only_allowed_updates_come(client: Client, api: Api) -> None:
    els = await client.staff("Els")
    assert "chat_member" not in kinds(await api.ok("getUpdates"))
    await api.ok("getUpdates", allowed_updates=["chat_member", "message_reaction"], offset=10**9)
    await client.post(f"staff/{els.id}/leave")
    assert kinds(await api.ok("getUpdates")) == ["chat_member"]


async def test_edits_blocks_and_replays(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    said = await amina.write("/start")
    await amina.do("edit", message_id=said["message_id"], text="changed")
    await amina.do("block")
    found = await api.ok("getUpdates")
    assert kinds(found) == ["message", "edited_message", "my_chat_member"]
    assert (found[0]["message"]["text"], found[1]["edited_message"]["text"]) == ("/start", "changed")
    assert found[2]["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    assert await api.ok("getUpdates", offset=found[-1]["update_id"] + 1) == []
    await client.post("replay", {"update_ids": [said["update_id"]]})
    assert await api.ok("getUpdates") == [found[0]]


async def test_a_tap_is_answered_once_it_exists_and_ages(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    keys = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    await api.ok("sendMessage", chat_id=amina.id, text="?", reply_markup=keys)
    tapped = await amina.tap("Yes")
    query = (await api.ok("getUpdates"))[-1]["callback_query"]
    assert (query["id"], query["data"]) == (tapped["query_id"], "y")
    await api.ok("answerCallbackQuery", callback_query_id=query["id"])
    late = (await amina.tap_data("tampered"))["query_id"]
    await client.forward(2 * 3600)
    assert "query is too old" in (await api.raw("answerCallbackQuery", callback_query_id=late))[1]["description"]


async def test_a_group_that_moves_says_where(client: Client, api: Api) -> None:
    old = (await client.state())["staff_chat"]
    new = (await client.post("group/migrate"))["new"]
    assert any(u.get("message", {}).get("migrate_to_chat_id") == new for u in await api.ok("getUpdates"))
    status, body = await api.raw("sendMessage", chat_id=old, text="x")
    assert (status, body["parameters"]) == (400, {"migrate_to_chat_id": new})


async def test_a_webhook_is_repeated_until_it_is_taken(client: Client, api: Api) -> None:
    heard: asyncio.Queue[tuple[str, int]] = asyncio.Queue()
    answers = [500, 503, 200]

    async def hook(request: web.Request) -> web.Response:
        update = await request.json()
        heard.put_nowait((request.headers["X-Telegram-Bot-Api-Secret-Token"], update["update_id"]))
        return web.Response(status=answers.pop(0))

    app = web.Application()
    app.router.add_post("/hook", hook)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await api.ok("setWebhook", url=url, secret_token="s3cret")
    assert (await api.raw("getUpdates"))[0] == 409
    said = await (await client.newcomer("Amina")).write("/start")
    async with asyncio.timeout(PATIENCE):
        assert [await heard.get() for _ in range(3)] == [("s3cret", said["update_id"])] * 3
    info = await api.ok("getWebhookInfo")
    assert (info["url"], "503" in info["last_error_message"]) == (url, True)
    await api.ok("deleteWebhook")
    assert await api.ok("getUpdates") == []
    assert heard.empty()
    await runner.cleanup()
