"""The judge's record under load: many people at once, bounded memory, times, and a restart that keeps the log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest

from simulator import server
from simulator.client import Client
from simulator.errors import ApiError
from simulator.figures import part_of
from simulator.server import Running
from simulator.world import CALLS_KEPT, MESSAGES_KEPT
from tests.simulator.conftest import Api

PATIENCE = 10


async def test_a_crowd_writes_at_once_and_at_a_rate(running: Running, client: Client, api: Api) -> None:
    people = await client.crowd(50, "uk")
    ids = await client.flood([(person, f"from {person}") for person in people])
    found = await api.ok("getUpdates")
    assert [(one["update_id"], one["message"]["from"]["id"]) for one in found] == list(zip(ids, people, strict=True))
    assert {one["message"]["from"]["language_code"] for one in found} == {"uk"}
    later = await client.flood([(people[0], str(number)) for number in range(20)], rate=200)
    written, handed = await client.times(after=ids[-1])
    assert list(written) == later
    assert written[later[-1]] - written[later[0]] >= 18 / 200
    assert handed == {}
    await api.ok("getUpdates", offset=ids[-1] + 1)
    assert set((await client.times())[1]) == {*ids, *later}
    await Client.post(client, f"users/{people[0]}/block")
    with pytest.raises(ApiError, match="blocked the bot"):
        running.flood([(people[0], "x")])
    with pytest.raises(AssertionError, match="no such person"):
        await client.flood([(7, "x")])


async def test_the_accept_log_can_be_read_from_anywhere(client: Client, api: Api) -> None:
    (amina,) = await client.crowd(1)
    await client.set_limits(on=False)
    for number in range(5):
        await api.ok("sendMessage", chat_id=amina, text=str(number))
    await api.raw("sendMessage", chat_id=amina, text="")
    topic = (await api.ok("createForumTopic", chat_id=-1001000000001, name="A"))["message_thread_id"]
    await api.ok("sendVenue", chat_id=-1001000000001, message_thread_id=topic, latitude=51, longitude=4, title="Hall")
    copied = (await api.ok("copyMessage", chat_id=amina, from_chat_id=amina, message_id=1))["message_id"]
    accepts = await client.accepts(after=4)
    assert [(one.n, one.method, one.thread, one.kind, one.text) for one in accepts] == [
        (5, "sendmessage", 0, "text", "4"), (6, "sendvenue", topic, "venue", ""), (7, "copymessage", 0, "text", "0"),
    ]  # fmt: skip
    assert accepts[-1].message_id == copied
    assert accepts[0].mono < accepts[1].mono < accepts[2].mono
    waiting = asyncio.get_running_loop().create_task(client.accepts(after=7, wait=PATIENCE))
    await api.ok("sendMessage", chat_id=amina, text="at last")
    assert [one.text for one in await waiting] == ["at last"]


async def test_the_accept_log_outlives_a_restart(tmp_path: Path) -> None:
    first = await server.start(tmp_path)
    (amina,) = first.register(1)
    async with aiohttp.ClientSession() as session:
        await Api(first.url, session).ok("sendMessage", chat_id=amina, text="kept")
    before = first.world.figures.accepts
    await first.close()
    again = await server.start(tmp_path)
    assert again.world.figures.accepts == before
    assert before[0].text == "kept"
    await again.close()


async def test_a_long_run_is_bounded_but_its_accept_log_is_whole() -> None:
    running = await server.start(keep_messages=False)
    world = running.world
    (amina,) = running.register(1)
    running.flood([(amina, str(number)) for number in range(1000)])
    messages = world.state.chats[amina].messages
    assert MESSAGES_KEPT <= len(messages) <= 2 * MESSAGES_KEPT
    assert len(world.state.pending) == 1000
    for _ in range(CALLS_KEPT + 10):
        world.record({"method": "sendmessage", "status": 200}, messages[max(messages)])
    assert len(world.calls) <= CALLS_KEPT
    assert world.calls[-1]["n"] == world.calls_gone + len(world.calls) == CALLS_KEPT + 10
    assert len(world.figures.accepts) == CALLS_KEPT + 10
    client = Client(running.url)
    assert [call["n"] for call in await client.log(after=CALLS_KEPT + 8)] == [CALLS_KEPT + 9, CALLS_KEPT + 10]
    await client.close()
    await running.close()


def test_parts() -> None:
    assert [part_of([3, 1, 2, 4], part) for part in (0, 0.5, 0.99, 1)] == [1, 3, 4, 4]
    assert part_of([], 0.5) == 0
