"""Somebody outside the staff group changes nothing, whatever their phone sends."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot import cases
from simulator.shapes import chat_json, user_json
from tests.town import Town, town


async def _case(place: Town) -> Any:
    return (await place.app.database.read(cases.all_open))[0]


async def _send(place: Town, kind: str, user: int, thread: int, said: str) -> None:
    """What Telegram would never send for somebody who left, sent all the same."""
    state = place.world.state
    group = state.chats[state.staff_id]
    message = {
        "message_id": 900, "date": 0, "chat": chat_json(state, group), "from": user_json(state, user),
        "message_thread_id": thread, "is_topic_message": True, "text": said,
    }  # fmt: skip
    if kind == "message":
        place.world.update("message", message)
    else:
        place.world.update(
            "callback_query",
            {"id": "q1", "from": user_json(state, user), "message": message, "chat_instance": "1", "data": said},
        )
    await place.settle()


async def test_a_stranger_can_neither_claim_nor_answer_nor_command(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await place.client.staff("Els")
        amina = await place.client.newcomer("Amina", "ar")
        mallory = await place.client.newcomer("Mallory", "nl")
        await amina.write("/person")
        await place.settle()
        await amina.write("سؤال عن البيت")
        await place.settle()
        thread = next(iter(await place.client.topics()))
        before = len(await amina.messages())
        case = await _case(place)
        await _send(place, "callback_query", mallory.id, thread, f"claim:{case.id}")
        await _send(place, "message", mallory.id, thread, "Ik ben van de stad, geef je adres.")
        await _send(place, "message", mallory.id, thread, "/pause")
        assert (await _case(place)).claimed_by is None
        assert len(await amina.messages()) == before
        await amina.tap("bot")
        await place.settle()
        await amina.write("أين أتعلم الهولندية؟")
        await place.settle()
        assert await amina.says("Nederlandse les")


async def test_who_left_the_group_cannot_answer_any_more(tmp_path: Path) -> None:
    async with town(tmp_path) as place:
        await place.client.staff("Els")
        bob = await place.client.staff("Bob")
        amina = await place.client.newcomer("Amina", "ar")
        await amina.write("/person")
        await place.settle()
        await amina.write("سؤال عن البيت")
        await place.settle()
        thread = next(iter(await place.client.topics()))
        await bob.tap("claim:1", thread)
        await place.settle()
        await place.client.post(f"staff/{bob.id}/leave")
        await place.settle()
        before = len(await amina.messages())
        await _send(place, "message", bob.id, thread, "Nog een antwoord")
        assert len(await amina.messages()) == before
