"""What people do comes in as it is, and nothing in it stops the engine."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot.channel import Key, Outgoing, StopPollingError
from bot.inbox import RawUpdate
from bot.telegram import polling as loop
from bot.telegram.updates import read
from tests.telegram.conftest import PATIENCE, TOKEN, Box, made, polling


def said(text: str) -> Callable[[RawUpdate], bool]:
    return lambda raw: raw.incoming is not None and raw.incoming.text == text


def numbered(number: int, raw: RawUpdate) -> bool:
    return raw.update_id == number


async def test_a_text_an_edit_and_a_tap(engine, amina, box):
    written = await amina.write("waar kan ik naar de les?")
    text = await box.kind("text")
    if text.text == "/start":
        text = await box.kind("text")
    assert (text.chat, text.sender, text.private) == (amina.id, amina.id, True)
    assert (text.text, text.phone_language, text.sender_name) == ("waar kan ik naar de les?", "fr", "Amina")
    await amina.do("edit", message_id=written["message_id"], text="waar is de les?")
    edit = await box.kind("edit")
    assert (edit.message_id, edit.text) == (written["message_id"], "waar is de les?")
    sent = await engine.send(Outgoing("text", amina.id, text="Hier", keys=(Key("Ja", data="yes"),)))
    tapped = await amina.tap("Ja")
    tap = await box.kind("tap")
    assert (tap.data, tap.message_id, tap.tap_id) == ("yes", sent.message_id, tapped["query_id"])


async def test_a_reaction_comes_in(engine, amina, box):
    sent = await engine.send(Outgoing("text", amina.id, text="Dag"))
    await amina.do("react", message_id=sent.message_id, emoji="❤")
    reaction = await box.kind("reaction")
    assert (reaction.chat, reaction.sender, reaction.message_id, reaction.text) == (
        amina.id, amina.id, sent.message_id, "❤",
    )  # fmt: skip


def test_a_reaction_taken_off_or_custom_has_no_text():
    change = {"chat": {"id": -5, "type": "supergroup"}, "message_id": 3, "date": 0, "old_reaction": []}
    custom = [{"type": "custom_emoji", "custom_emoji_id": "1"}, {"type": "emoji", "emoji": "👍"}]
    none = read({"update_id": 1, "message_reaction": {**change, "new_reaction": []}})
    some = read({"update_id": 2, "message_reaction": {**change, "new_reaction": custom}})
    assert (none.kind, none.text, none.sender) == ("reaction", "", None)
    assert some.text == "👍"


@pytest.mark.parametrize("kind", ["voice", "photo", "document", "sticker"])
async def test_media_comes_in_and_goes_out_again(kind, engine, amina, box):
    await amina.do(kind, **({"caption": "mijn brief"} if kind in {"photo", "document"} else {}))
    incoming = await box.kind("media")
    assert incoming.media is not None
    assert (incoming.media.kind, incoming.media.album) == (kind, "")
    assert incoming.text == ("mijn brief" if kind in {"photo", "document"} else "")
    if kind != "sticker":
        await engine.send(Outgoing(kind, amina.id, file_id=incoming.media.file_id))


async def test_an_album_is_two_updates_of_one_album(amina, box):
    await amina.do("photo", count=2, caption="twee bladen")
    first, second = await box.kind("media"), await box.kind("media")
    assert first.media is not None
    assert second.media is not None
    assert first.media.album == second.media.album != ""
    assert (first.text, second.text) == ("twee bladen", "")


async def test_a_place_and_a_number(amina, box):
    await amina.do("location", latitude=51.5, longitude=4.25)
    assert (await box.kind("location")).place == (51.5, 4.25)
    await amina.do("contact", phone_number="+32470000001")
    assert (await box.kind("contact")).phone == "+32470000001"


async def test_blocking_and_coming_back(amina, box):
    await amina.do("block")
    gone = await box.kind("reach")
    assert gone.member is not None
    assert (gone.chat, gone.member.status, gone.member.bot) == (amina.id, "kicked", True)
    await amina.do("unblock")
    back = await box.kind("reach")
    assert back.member is not None
    assert back.member.status == "member"


async def test_the_group_its_topics_and_its_people(engine, client, group, box):
    wout = await client.staff("Wout")
    joined = await box.next(lambda raw: raw.incoming and raw.incoming.member and raw.incoming.member.user == wout.id)
    assert (joined.incoming.kind, joined.incoming.member.status) == ("member", "member")
    topic = (await engine.send(Outgoing("topic_create", group, title="Zaak"))).thread
    await wout.write("ik neem dit", thread=topic)
    text = await box.kind("text")
    assert (text.chat, text.thread, text.private, text.lane) == (group, topic, False, f"{group}/{topic}")


async def test_the_group_moves(client, group, box):
    moved = await client.post("group/migrate")
    raw = await box.next(lambda raw: raw.incoming and raw.incoming.new_chat)
    assert (raw.incoming.chat, raw.incoming.new_chat) == (group, moved["new"])


async def test_an_unreadable_update_does_not_stop_the_others(engine, client, amina):
    given: tuple[dict[str, Any], ...] = (
        {"message": {"nonsense": 1}}, {"message": None}, {"callback_query": []}, {"poll": {"id": 5}},
        {"message": {"message_id": 1, "chat": {"id": 1e400, "type": "private"}, "text": "\ud800"}},
    )  # fmt: skip
    for nonsense in given:
        await client.post("update", nonsense)
    await amina.write("en ik?")
    async with polling(engine) as box:
        await box.next(lambda raw: raw.incoming and raw.incoming.text == "en ik?")
        unread = [raw for raw in box.raws if raw.incoming is None]
        assert len(unread) == 4, [raw.raw for raw in box.raws]
        assert {raw.lane for raw in unread} == {"?"}
        for raw in box.raws:
            raw.raw.encode()
        await amina.write("en nu?")
        await box.next(lambda raw: raw.incoming and raw.incoming.text == "en nu?")


async def test_nothing_is_acknowledged_before_it_is_taken_in(engine, amina, running):
    asked, may = asyncio.Event(), asyncio.Event()
    box = Box()

    async def accept(raws):
        asked.set()
        await may.wait()
        await box.accept(raws)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(engine.poll(accept))
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
        assert running.world.state.pending
        may.set()
        await box.kind("text")
        await amina.write("nog een")
        await box.next(lambda raw: raw.incoming and raw.incoming.text == "nog een")
        task.cancel()


async def test_two_pollers_end_with_a_clear_message(engine, name, running, monkeypatch):
    monkeypatch.setattr(loop, "_SECOND_POLLER", (0.01,) * 4)
    other = made(name, running.url)
    box = Box()
    tasks = [asyncio.ensure_future(one.poll(box.accept)) for one in (engine, other)]  # noqa: TID251 (one must fail)
    done, _ = await asyncio.wait(tasks, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    await other.close()
    assert done, "both went on"
    assert any(isinstance(one, StopPollingError) and "409" in str(one) for one in ended), ended


async def test_the_long_poll_of_a_killed_process_does_not_stop_us(engine, running, amina, monkeypatch):
    monkeypatch.setattr(loop, "_SECOND_POLLER", (0.01,) * 4)
    async with polling(engine) as box, aiohttp.ClientSession() as session:
        await box.kind("text")
        for number in range(4):
            async with session.post(f"{running.url}/bot{TOKEN}/getUpdates", json={"timeout": 0}) as answer:
                await answer.read()
            await amina.write(f"{number}")
            await box.next(said(f"{number}"))


async def test_a_webhook_that_somebody_sets_is_taken_away(engine, running, amina, box, monkeypatch):
    monkeypatch.setattr(loop, "_SECOND_POLLER", (0.01,) * 4)
    await box.kind("text")
    await engine.listen("http://127.0.0.1:9/hook", "s" * 40)
    for text in ("een", "twee", "drie"):
        await amina.write(text)
        await box.next(said(text))
    assert running.world.state.webhook == {}


@pytest.mark.parametrize(("status", "token"), [(401, TOKEN), (404, "1234567890123456789012:x")])
async def test_a_wrong_token_stops(status, token, name, running):
    running.world.token = "1:another"
    engine = made(name, running.url, token=token)
    try:
        with pytest.raises(StopPollingError, match=str(status) if name == "aiogram" else "token"):
            await engine.poll(Box().accept)
    finally:
        await engine.close()


@contextlib.asynccontextmanager
async def odd_server(bodies):
    """A server that answers getUpdates with these (status, body), then with nothing new."""
    asked = []

    async def call(request):
        method = request.match_info["method"]
        if method != "getUpdates":
            return web.json_response({"ok": True, "result": True})
        asked.append(json.loads(await request.read()))
        if len(asked) <= len(bodies):
            status, body = bodies[len(asked) - 1]
            return web.Response(status=status, body=body)
        await asyncio.sleep(0.05)  # a long poll is a wait
        return web.json_response({"ok": True, "result": []})

    app = web.Application()
    app.router.add_post("/bot{token}/{method}", call)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}", asked
    await runner.cleanup()


async def test_no_body_stops_the_loop_and_an_empty_answer_forgets_the_offset(name, monkeypatch):
    monkeypatch.setattr(loop, "_RETRY_SECONDS", (0.0,))
    poll = '{"poll": {"id": "1"}, "update_id": '
    bodies = [
        (502, b"<html>Bad Gateway</html>"), (200, b"no json"), (200, b"[1]"), (200, b'{"ok": true, "result": 5}'),
        (200, b"\xff\xfe"), (200, b""), (500, b"null"), (400, b'{"ok": false}'),
        (429, b'{"ok": false, "error_code": 429, "parameters": {"retry_after": 0.01}}'),
        (200, b'{"ok": true, "result": [{"poll": {}}]}'),
        (200, b'{"ok": true, "result": [{"poll": {}}, null, 7, {"update_id": "8"}, {"update_id": true}, '
              + f"{poll}{10**30}}}, {poll}41}}, {poll}900}}]}}".encode()),
        (200, b'{"ok": true, "result": []}'),
        (200, f'{{"ok": true, "result": [{poll}3}}]}}'.encode()),
    ]  # fmt: skip
    async with odd_server(bodies) as (url, asked):
        engine = made(name, url)
        async with polling(engine) as box:
            for number in (41, 900, 3):
                await box.next(functools.partial(numbered, number))
        await engine.close()
    assert [one["offset"] for one in asked][: len(bodies)] == [0] * (len(bodies) - 2) + [901, 0]
