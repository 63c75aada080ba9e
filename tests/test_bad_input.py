"""Whatever comes in, the bot answers or says why, and goes on: real HTTP, real bot.

Each test ends with an ordinary question: the bot must still be there.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from simulator.client import Phone
from tests.town import Town, town


@pytest.fixture
async def lokeren(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


@pytest.fixture
async def amina(lokeren: Town) -> Phone:
    phone = await lokeren.client.newcomer("Amina", "nl")
    await phone.write("/start l_nl")
    await lokeren.settle()
    return phone


async def answers(lokeren: Town, phone: Phone) -> None:
    """The bot still answers an ordinary question of this person."""
    before = len(await phone.messages())
    await phone.write("waar kan ik Nederlands oefenen met mensen")
    await lokeren.settle()
    new = [message for message in (await phone.messages())[before:] if not message.own]
    assert any("Nederlands oefenen" in message.text for message in new), new


async def replies(lokeren: Town, phone: Phone, before: int) -> list[Any]:
    await lokeren.settle()
    return [message for message in (await phone.messages())[before:] if not message.own]


UNREADABLE: list[dict[str, Any]] = [
    {"poll": {"id": "1", "question": "?", "options": []}},
    {"business_message": {"message_id": 1}},
    {"something_new": {"deep": {"deeper": [1, 2, 3]}}},
    {"message": {"message_id": "x"}},
    {"message": None},
    {"message": {"message_id": 5, "chat": {"id": "no number", "type": "private"}, "date": 0}},
    {"callback_query": {"id": "1", "from": {"id": 1, "is_bot": False, "first_name": "A"}, "data": "menu"}},
    {"edited_message": []},
    {},
]


async def test_updates_nobody_can_read_stop_nothing(lokeren: Town, amina: Phone) -> None:
    for update in UNREADABLE:
        before = len(await amina.messages())
        await lokeren.client.post("update", update)
        await amina.write("/menu")
        assert await replies(lokeren, amina, before), update
    await answers(lokeren, amina)


TEXTS = [" ", "\u200f", "؟؟؟", "🙂🙂🙂", "x" * 4096, "а" * 4096, "\x00", "{name} {n112}", "%s %d", "<b>"]


async def test_any_text_gets_an_answer(lokeren: Town, amina: Phone) -> None:
    for text in TEXTS:
        before = len(await amina.messages())
        await amina.write(text)
        assert await replies(lokeren, amina, before), ascii(text[:20])
    await answers(lokeren, amina)


async def test_any_file_gets_one_answer_with_a_way_on(lokeren: Town, amina: Phone) -> None:
    for deed in ["sticker", "voice", "photo", "document", "location", "contact"]:
        before = len(await amina.messages())
        await amina.do(deed)
        (answer,) = await replies(lokeren, amina, before)
        assert answer.buttons, deed
    await answers(lokeren, amina)


async def test_an_album_gets_one_answer(lokeren: Town, amina: Phone) -> None:
    before = len(await amina.messages())
    await amina.do("photo", count=4)
    assert len(await replies(lokeren, amina, before)) == 1


TAMPERED = [
    "nothing",
    "topic:",
    "topic:not-a-topic",
    "topic:housing:housing",
    "mine:999999",
    "mine:-1",
    "mine:1e9",
    "no:1",
    "noday:٣",
    "cannot:99999999999999999999",
    "take:0",
    "language:xx",
    "language:../nl",
    "group:🙂",
    "book",
    "who:1",
    "who:me",
    "days:7",
    "programme:'; DROP TABLE person;--",
    "coming:1 OR 1=1",
    "notmeant:1",
    "claim:1",
    "say:1:read",
    "move:1:0:2030-01-01T10:00",
    "forget:YES",
    ":",
    "::",
    "a" * 64,
    "soskind:none",
    "morehelp:",
    "role:admin",
]


async def test_a_tampered_button_is_answered_kindly(lokeren: Town, amina: Phone) -> None:
    for data in TAMPERED:
        before = len(await amina.messages())
        await amina.tap_data(data)
        new = await replies(lokeren, amina, before)
        assert new, data
        assert new[-1].buttons, data


async def test_a_button_of_somebody_else_does_nothing(lokeren: Town, amina: Phone) -> None:
    olena = await lokeren.client.newcomer("Olena", "nl")
    await olena.write("/start l_nl")
    await lokeren.settle()
    await olena.write("/start p_meet-up")
    await lokeren.settle()
    await olena.tap("signup:meet-up")
    await lokeren.settle()
    await olena.tap("who:me")
    await lokeren.settle()
    await olena.write("Olena")
    await lokeren.settle()
    await olena.tap("book")
    await lokeren.settle()
    await olena.tap("sessions")
    await lokeren.settle()
    shown = [data for message in await olena.messages() for _, data in message.buttons]
    own = [data for data in shown if data.split(":")[0] in {"mine", "coming", "cannot", "late", "where"}]
    assert own
    for data in own:
        before = len(await amina.messages())
        await amina.tap_data(data)
        (answer, *_) = await replies(lokeren, amina, before)
        assert "te oud" in answer.text
    before = len(await olena.messages())
    await olena.write("/sessions")
    assert any(
        "heeft een plaats" in message.text or "Olena" in message.text
        for message in await replies(lokeren, olena, before)
    )


async def test_an_update_twice_has_one_effect(lokeren: Town, amina: Phone) -> None:
    sent = await amina.write("/menu")
    await lokeren.settle()
    before = len(await amina.messages())
    await lokeren.client.post("replay", {"update_ids": [sent["update_id"]]})
    await amina.write("/sessions")
    assert len(await replies(lokeren, amina, before)) == 1


async def test_two_updates_at_once_are_answered_in_order(lokeren: Town, amina: Phone) -> None:
    before = len(await amina.messages())
    await asyncio.gather(*(amina.write("/language" if number % 2 else "/menu") for number in range(6)))
    new = await replies(lokeren, amina, before)
    asked = [message.text for message in (await amina.messages())[before:] if message.own]
    said = ["/language" if "Kies je taal" in message.text else "/menu" for message in new]
    assert said == asked


async def test_a_group_is_told_why_and_left(lokeren: Town, amina: Phone) -> None:
    world = lokeren.world
    world.emit("chat", chat={"id": -1007, "type": "supergroup", "title": "Somebody's group", "is_forum": False})
    world.emit("member", chat=-1007, user=world.state.bot_id, member={"status": "member"})
    world.emit("member", chat=-1007, user=amina.id, member={"status": "member"})
    await amina.write("hello bot", chat=-1007)
    await lokeren.settle()
    shown = list(world.state.chats[-1007].messages.values())
    assert len(shown) == 2
    assert world.state.chats[-1007].members[world.state.bot_id]["status"] == "left"
    await answers(lokeren, amina)


async def test_a_locked_database_is_waited_for(lokeren: Town, amina: Phone, tmp_path: Path) -> None:
    before = len(await amina.messages())
    with contextlib.closing(sqlite3.connect(tmp_path / "town.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await amina.write("/menu")
        await lokeren.client.get("log", after=10**6, wait=1)  # a second passes while nobody can write
        other.execute("ROLLBACK")
    assert len(await replies(lokeren, amina, before)) == 1


async def test_telegram_away_loses_nothing(lokeren: Town, amina: Phone) -> None:
    before = len(await amina.messages())
    await lokeren.client.set_down(True)
    await amina.write("/menu")
    await amina.write("/sessions")
    await lokeren.client.get("log", after=10**6, wait=1)
    await lokeren.client.set_down(False)
    assert len(await eventually(lokeren, amina, before, 2)) == 2
    await answers(lokeren, amina)


async def eventually(lokeren: Town, phone: Phone, before: int, count: int) -> list[Any]:
    """What is tried again later is there when the clock has moved on a little."""
    for _ in range(20):
        found = await replies(lokeren, phone, before)
        if len(found) >= count:
            return found
        await lokeren.forward(seconds=30)
    raise AssertionError(f"{len(found)} of {count} arrived")


async def test_a_fault_of_telegram_loses_no_answer(lokeren: Town, amina: Phone) -> None:
    for fault in ("429:1", "502_html", "502_json", "reset", "slow:0.2"):
        before = len(await amina.messages())
        await lokeren.client.fault(fault, "sendMessage")
        await amina.write("/menu")
        assert len(await eventually(lokeren, amina, before, 1)) == 1, fault


async def test_a_lost_reply_costs_at_most_one_extra_copy(lokeren: Town, amina: Phone) -> None:
    before = len(await amina.messages())
    await lokeren.client.fault("drop_reply", "sendMessage")
    await amina.write("/menu")
    assert 1 <= len(await eventually(lokeren, amina, before, 1)) <= 2


async def test_who_blocks_the_bot_is_left_alone_and_welcome_again(lokeren: Town, amina: Phone) -> None:
    await amina.do("block")
    await lokeren.settle()
    await amina.do("unblock")
    await lokeren.settle()
    await answers(lokeren, amina)
