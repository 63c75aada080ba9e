"""Limits, faults, the accept log, the clock, a restart, and the control API's own errors."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from simulator import server
from simulator.client import Client
from simulator.server import Running
from tests.simulator.conftest import TOKEN, Api
from tests.simulator.test_updates import polling

GROUP = -1001000000001
PATIENCE = 5


async def test_a_person_gets_one_a_second(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    answers = [await api.raw("sendMessage", chat_id=amina.id, text=str(number)) for number in range(5)]
    assert [status for status, _ in answers] == [200, 200, 200, 429, 429]
    assert answers[-1][1]["parameters"] == {"retry_after": 1}


async def test_a_group_gets_twenty_a_minute(client: Client, api: Api) -> None:
    answers = [await api.raw("sendMessage", chat_id=GROUP, text=str(number)) for number in range(21)]
    assert [status for status, _ in answers] == [200] * 20 + [429]
    assert 50 < answers[-1][1]["parameters"]["retry_after"] <= 60
    await client.set_limits(on=False)
    await api.ok("sendMessage", chat_id=GROUP, text="more")


async def test_what_was_accepted_stays_when_the_answer_is_lost(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    await client.fault("drop_reply", "sendMessage")
    with pytest.raises(aiohttp.ClientError):
        await api.raw("sendMessage", chat_id=amina.id, text="lost")
    assert [call["params"]["text"] for call in await client.log("sendMessage")] == ["lost"]
    assert await amina.says("lost")


@pytest.mark.parametrize(
    ("fault", "status"), [("429:7", 429), ("403", 403), ("400:chat not found", 400), ("502_json", 502)]
)
async def test_faults_come_once_and_send_nothing(client: Client, api: Api, fault: str, status: int) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    await client.fault(fault, "sendMessage", chat=amina.id)
    assert (await api.raw("sendMessage", chat_id=amina.id, text="x"))[0] == status
    assert not await amina.says("x")
    await api.ok("sendMessage", chat_id=amina.id, text="x")


async def test_a_lost_call_and_a_page_of_html(client: Client, api: Api) -> None:
    await client.fault("reset", "getMe")
    with pytest.raises(aiohttp.ClientError):
        await api.raw("getMe")
    await client.fault("502_html", "getMe")
    async with api.session.post(f"{api.url}/bot{TOKEN}/getMe") as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")


async def test_being_away_cuts_calls_and_waiting_polls(running: Running, client: Client, api: Api) -> None:
    poll = await polling(running, api)
    await client.set_down(down=True)
    with pytest.raises(aiohttp.ClientError):
        await api.raw("getMe")
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(PATIENCE):
            await poll
    await client.set_down(down=False)
    await api.ok("getMe")


async def test_the_log_waits_for_its_next_line(client: Client, api: Api) -> None:
    waiting = asyncio.get_running_loop().create_task(client.get("log", after=0, wait=PATIENCE, method="getMe"))
    await api.ok("getMe")
    (call,) = (await waiting)["calls"]
    assert (call["n"], call["method"], call["status"]) == (1, "getme", 200)


async def test_the_clock_goes_forward_only_and_dates_messages(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    waiting = asyncio.get_running_loop().create_task(client.get("clock", wait=PATIENCE, offset=0))
    await client.forward(86400)
    assert (await waiting)["offset"] == 86400
    await amina.write("/start")
    (update,) = await api.ok("getUpdates")
    before = (await client.state())["clock"]["now"]
    await client.forward(3600)
    with pytest.raises(AssertionError, match="only moves forward"):
        await client.clock_to(before)
    await amina.write("later")
    later = (await api.ok("getUpdates"))[-1]
    assert 3600 <= later["message"]["date"] - update["message"]["date"] <= 3605


async def test_a_restart_keeps_everything(tmp_path: Path) -> None:
    first = await server.start(tmp_path)
    client = Client(first.url)
    amina = await client.newcomer("Amina", "ar")
    await amina.write("/start")
    await client.forward(600)
    async with aiohttp.ClientSession() as session:
        api = Api(first.url, session)
        sent = await api.ok("sendMessage", chat_id=amina.id, text="kept")
        topic = await api.ok("createForumTopic", chat_id=GROUP, name="Amina")
        pending = await api.ok("getUpdates")
    before, calls = await client.state(), await client.log()
    await client.close()
    await first.close()
    with (tmp_path / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"type": "mess')  # a crash in the middle of a line

    again = await server.start(tmp_path)
    client = Client(again.url)
    after = await client.state()
    assert {name: after[name] for name in ("users", "reach", "chats", "staff_chat", "keyboards")} == {
        name: before[name] for name in ("users", "reach", "chats", "staff_chat", "keyboards")
    }
    assert (await client.log(), after["clock"]["offset"]) == (calls, 600)
    assert after["boot"] != before["boot"]
    async with aiohttp.ClientSession() as session:
        api = Api(again.url, session)
        assert await api.ok("getUpdates") == pending
        assert (await api.ok("sendMessage", chat_id=amina.id, text="next"))["message_id"] > sent["message_id"]
        await api.ok("sendMessage", chat_id=GROUP, message_thread_id=topic["message_thread_id"], text="x")
    await client.close()
    await again.close()


async def test_a_configured_token_is_the_only_one() -> None:
    running = await server.start(token=TOKEN)
    async with aiohttp.ClientSession() as session:
        api = Api(running.url, session)
        await api.ok("getMe")
        assert (await api.raw("getMe", token="7000000001:another"))[0] == 401
    await running.close()


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("users", {}, "first_name is missing"),
        ("users/1/write", {"text": "x"}, "no such person"),
        ("topics/99/delete", {}, "no such topic"),
        ("faults", {"fault": "flood"}, "unknown fault"),
        ("clock", {"to": "yesterday"}, "ValueError"),
    ],
)
async def test_the_control_api_says_what_it_expected(
    client: Client, path: str, body: dict[str, object], words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        await client.post(path, body)


async def test_events_are_shown_as_they_happen(client: Client, api: Api) -> None:
    after = (await client.state())["last_event"]
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    async with asyncio.timeout(PATIENCE), api.session.get(f"{api.url}/control/events?after={after}") as stream:
        seen: list[str] = []
        while len(seen) < 3:
            line = (await stream.content.readline()).decode()
            if line.startswith("data:"):
                seen.append(line)
    assert ['"type": "user"' in seen[0], '"type": "reach"' in seen[1], '"type": "message"' in seen[2]] == [True] * 3
