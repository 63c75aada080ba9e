"""What is spoiled before and after the effect, by share, storms, polls, and Telegram away behind a closed port."""

from __future__ import annotations

import asyncio
import socket
import time

import aiohttp
import pytest

from simulator.client import Client, Phone
from simulator.server import Running
from tests.simulator.conftest import TOKEN, Api
from tests.simulator.test_updates import polling

PATIENCE = 5


@pytest.fixture
async def amina(client: Client) -> Phone:
    made = await client.newcomer("Amina")
    await made.write("/start")
    await client.set_limits(on=False)
    return made


@pytest.mark.parametrize(("fault", "kind"), [("accept_502_html", "text/html"), ("accept_502_json", "application/json")])
async def test_an_accepted_call_is_answered_with_502(
    client: Client, api: Api, amina: Phone, fault: str, kind: str
) -> None:
    await client.fault(fault, "sendMessage")
    body = {"chat_id": amina.id, "text": "once"}
    async with api.session.post(f"{api.url}/bot{TOKEN}/sendMessage", json=body) as answer:
        assert (answer.status, answer.content_type) == (502, kind)
    (accept,) = await client.accepts()
    assert (accept.n, accept.chat, accept.kind, accept.text) == (1, amina.id, "text", "once")
    assert [message.id for message in await amina.messages() if message.own is False] == [accept.message_id]
    (line,) = await client.log("sendMessage")
    assert (line["status"], line["fault"]) == (200, fault)


@pytest.mark.parametrize("fault", ["accept_slow:0.3", "slow_headers:0.3"])
async def test_the_effect_is_there_before_the_answer(client: Client, api: Api, amina: Phone, fault: str) -> None:
    await client.fault(fault, "sendMessage")
    started = time.monotonic()
    call = asyncio.get_running_loop().create_task(api.ok("sendMessage", chat_id=amina.id, text="early"))
    assert [accept.text for accept in await client.accepts(wait=PATIENCE)] == ["early"]
    assert not call.done()
    assert (await call)["text"] == "early"
    assert time.monotonic() - started >= 0.3
    await api.ok("sendMessage", chat_id=amina.id, text="next")


async def test_a_share_fails_until_the_faults_are_cleared(client: Client, api: Api, amina: Phone) -> None:
    async def failures() -> list[int]:
        await client.post("faults", {"clear": True})
        await client.fault("502_json", "sendMessage", share=0.3, seed=7)
        calls = [await api.raw("sendMessage", chat_id=amina.id, text=str(number)) for number in range(100)]
        return [number for number, (status, _) in enumerate(calls) if status == 502]

    first = await failures()
    assert 15 <= len(first) <= 45, first
    assert await failures() == first  # the same seed, the same calls
    await client.clear_faults()
    await api.ok("sendMessage", chat_id=amina.id, text="well")
    assert (await client.figures())["faults"] == [
        {"method": "sendmessage", "fault": "502_json", "count": 2 * len(first)}
    ]


async def test_a_storm_of_429_ends_and_is_counted_apart(client: Client, api: Api, amina: Phone) -> None:
    await client.fault("429:2", "sendMessage", times=3)
    statuses = [(await api.raw("sendMessage", chat_id=amina.id, text="x"))[0] for _ in range(4)]
    assert statuses == [429, 429, 429, 200]
    figures = await client.figures()
    assert figures["asked_too_many"] == [{"method": "sendmessage", "chat": amina.id, "count": 3}]
    assert (figures["too_many"], figures["accepted"]) == ([], 1)
    await client.set_limits(on=True)
    statuses = [(await api.raw("sendMessage", chat_id=amina.id, text="x"))[0] for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    figures = await client.figures()
    assert figures["too_many"] == [{"method": "sendmessage", "chat": amina.id, "count": 1}]
    assert figures["busiest_second"] >= 3


async def test_polls_fail_too_and_lose_nothing(client: Client, api: Api, amina: Phone) -> None:
    del amina
    await client.fault("502_json", "getUpdates")
    assert (await api.raw("getUpdates"))[0] == 502
    await client.fault("drop_reply", "getUpdates")
    with pytest.raises(aiohttp.ClientError):
        await api.raw("getUpdates")
    assert len(await api.ok("getUpdates")) == 1
    assert [(line["fault"], line["params"]) for line in await client.log("getUpdates")] == [
        ("502_json", {}), ("drop_reply", {}),
    ]  # fmt: skip
    assert (await client.figures())["polls"] == {"502_json": 1, "drop_reply": 1, "some": 1}


@pytest.mark.parametrize("wrong", [{"fault": "slow:soon"}, {"fault": "403", "share": 2}, {"fault": "accept"}, {}])
async def test_a_fault_that_is_none_is_refused(client: Client, wrong: dict[str, object]) -> None:
    with pytest.raises(AssertionError, match="400"):
        await client.post("faults", wrong)


async def test_a_restart_refuses_connections_and_keeps_the_state(
    running: Running, client: Client, api: Api, amina: Phone
) -> None:
    update = (await api.ok("getUpdates"))[0]
    poll = await polling(running, api, offset=update["update_id"] + 1)
    await running.refuse()
    with pytest.raises(aiohttp.ClientError):
        async with asyncio.timeout(PATIENCE):
            await poll
    with pytest.raises(aiohttp.ClientConnectorError):
        await api.raw("getMe")
    (said,) = running.flood([(amina.id, "while away")])
    await running.reopen()
    found = await api.ok("getUpdates", offset=update["update_id"] + 1)
    assert [one["update_id"] for one in found] == [said]
    await running.refuse()
    await running.refuse()
    host, port = running.url.removeprefix("http://").split(":")
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind((host, int(port)))  # nobody takes the port meanwhile
    await running.reopen()
    await running.reopen()
    await client.restart(0.3)
    async with asyncio.timeout(PATIENCE):
        await running.world.bells.until("updates", lambda: running.world.closed or None, PATIENCE)
        with pytest.raises(aiohttp.ClientError):
            await api.raw("getMe")
        await running.world.bells.until("back", lambda: True if not running.world.closed else None, PATIENCE)
    await api.ok("getMe")


async def test_it_closes_while_it_refuses(running: Running) -> None:
    await running.refuse()


async def test_a_poll_whose_bot_is_gone_ends_no_other_and_takes_nothing(
    running: Running, client: Client, api: Api, amina: Phone
) -> None:
    offset = (await api.ok("getUpdates"))[-1]["update_id"] + 1
    await client.fault("slow:0.3", "getUpdates")
    slow = api.session.post(f"{api.url}/bot{TOKEN}/getUpdates", timeout=aiohttp.ClientTimeout(0.1))
    with pytest.raises(TimeoutError):
        await slow
    dead = await polling(running, api, offset=offset)
    await asyncio.sleep(0.3)  # the slow one has come to its end by now, for nobody
    dead.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dead
    await asyncio.sleep(0.05)  # its connection is seen as closed
    (said,) = running.flood([(amina.id, "to nobody yet")])
    await running.world.bells.until("updates", lambda: None, 0.05)
    assert said not in running.world.figures.handed
    assert (await api.ok("getUpdates", offset=offset))[0]["update_id"] == said
    assert said in running.world.figures.handed
    assert "409" not in (await client.figures())["polls"]
