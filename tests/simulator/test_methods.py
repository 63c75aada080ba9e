"""The Bot API's methods and refusals, by plain HTTP and through aiogram."""

from __future__ import annotations

import io
from typing import Any

import aiohttp
import pytest
from aiogram import Bot, exceptions, types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer

from simulator.client import Client
from tests.simulator.conftest import TOKEN, Api

GROUP = -1001000000001
KEYS = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}


@pytest.mark.parametrize(
    ("method", "params", "code", "words"),
    [
        ("sendMessage", {"text": "x"}, 400, "chat_id is empty"),
        ("sendMessage", {"chat_id": 42, "text": "x"}, 400, "chat not found"),
        ("sendMessage", {"chat_id": "amina", "text": ""}, 400, "message text is empty"),
        ("sendMessage", {"chat_id": "amina", "text": "x" * 4097}, 400, "message is too long"),
        ("sendMessage", {"chat_id": "amina", "text": "😀" * 2049}, 400, "message is too long"),
        ("sendMessage", {"chat_id": "stranger", "text": "x"}, 403, "bot can't initiate conversation with a user"),
        ("sendMessage", {"chat_id": "blocker", "text": "x"}, 403, "bot was blocked by the user"),
        ("sendMessage", {"chat_id": GROUP, "message_thread_id": 99, "text": "x"}, 400, "message thread not found"),
        ("sendMessage", {"chat_id": "amina", "text": "x", "reply_markup": "{"}, 400, "can't parse"),
        (
            "sendMessage",
            {"chat_id": "amina", "text": "x", "reply_parameters": {"message_id": 999}},
            400,
            "message to be replied not found",
        ),
        (
            "sendMessage",
            {
                "chat_id": "amina", "text": "x",
                "reply_markup": {"inline_keyboard": [[{"text": "k", "callback_data": "é" * 33}]]},
            },
            400,
            "BUTTON_DATA_INVALID",
        ),
        ("editMessageText", {"chat_id": "amina", "message_id": 999, "text": "x"}, 400, "message to edit not found"),
        ("deleteMessage", {"chat_id": "amina", "message_id": 999}, 400, "message to delete not found"),
        ("answerCallbackQuery", {"callback_query_id": "7"}, 400, "query is too old"),
        ("editForumTopic", {"chat_id": GROUP, "message_thread_id": 99, "name": "x"}, 400, "TOPIC_ID_INVALID"),
        ("createForumTopic", {"chat_id": "amina", "name": "x"}, 400, "the chat is not a forum"),
        ("getChatMember", {"chat_id": GROUP, "user_id": 42}, 400, "member not found"),
        ("getFile", {"file_id": "none"}, 400, "wrong file_id"),
        ("sendDocument", {"chat_id": "amina"}, 400, "there is no document in the request"),
        ("setWebhook", {"url": "http://example.org/"}, 400, "An HTTPS URL must be provided"),
        ("noSuchMethod", {}, 404, "Not Found"),
    ],
)  # fmt: skip
async def test_refusals(
    client: Client, api: Api, method: str, params: dict[str, Any], code: int, words: str
) -> None:
    people = {}
    for name in ("amina", "stranger", "blocker"):
        people[name] = await client.newcomer(name)
    await people["amina"].write("/start")
    await people["blocker"].write("/start")
    await people["blocker"].do("block")
    sent = {key: people[value].id if value in people else value for key, value in params.items()
            if not isinstance(value, dict | list)}  # fmt: skip
    status, body = await api.raw(method, **{**params, **sent})
    assert (status, body["ok"], body["error_code"]) == (code, False, code)
    assert words in body["description"]


async def test_a_token_that_is_none_is_unknown(api: Api) -> None:
    assert (await api.raw("getMe", token="none"))[0] == 404


async def test_json_form_and_multipart_say_the_same(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    url = f"{api.url}/bot{TOKEN}/sendMessage"
    fields = {"chat_id": str(amina.id), "text": "hello", "reply_markup": '{"inline_keyboard":[]}'}
    multipart = aiohttp.MultipartWriter("form-data")
    for name, value in fields.items():
        multipart.append(value).set_content_disposition("form-data", name=name)
    await api.ok("sendMessage", chat_id=amina.id, text="hello")
    for body in (aiohttp.FormData(fields), multipart):
        async with api.session.post(url, data=body) as answer:
            assert answer.status == 200, await answer.text()
    async with api.session.get(url, params=fields) as answer:
        assert answer.status == 429  # four at once to one person
    assert [shown.text for shown in await amina.messages()] == ["/start", "hello", "hello", "hello"]


async def test_editing_wants_a_change(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    sent = await api.ok("sendMessage", chat_id=amina.id, text="one", reply_markup=KEYS)
    where = {"chat_id": amina.id, "message_id": sent["message_id"]}
    _, same = await api.raw("editMessageText", **where, text="one", reply_markup=KEYS)
    assert "not modified" in same["description"]
    assert (await api.ok("editMessageText", **where, text="two"))["text"] == "two"
    assert "not modified" in (await api.raw("editMessageReplyMarkup", **where))[1]["description"]
    assert (await amina.last()).buttons == []


async def test_deleting_ends_after_two_days(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina")
    await amina.write("/start")
    old = (await api.ok("sendMessage", chat_id=amina.id, text="old"))["message_id"]
    await client.forward(48 * 3600 + 60)
    new = (await api.ok("sendMessage", chat_id=amina.id, text="new"))["message_id"]
    status, body = await api.raw("deleteMessage", chat_id=amina.id, message_id=old)
    assert (status, "can't be deleted" in body["description"]) == (400, True)
    assert await api.ok("deleteMessages", chat_id=amina.id, message_ids=[old, new]) is True
    assert [shown.text for shown in await amina.messages()] == ["/start", "old"]


async def test_topics_from_birth_to_death(client: Client, api: Api) -> None:
    els = await client.staff("Els")
    topic = await api.ok("createForumTopic", chat_id=GROUP, name="Amina")
    where = {"chat_id": GROUP, "message_thread_id": topic["message_thread_id"]}
    await api.ok("editForumTopic", **where, name="Amina (ar)")
    assert "TOPIC_NOT_MODIFIED" in (await api.raw("editForumTopic", **where, name="Amina (ar)"))[1]["description"]
    await api.ok("closeForumTopic", **where)
    assert "TOPIC_NOT_MODIFIED" in (await api.raw("closeForumTopic", **where))[1]["description"]
    await api.ok("reopenForumTopic", **where)
    message = await api.ok("sendMessage", **where, text="question")
    assert message["is_topic_message"] is True
    await els.write("answer", thread=where["message_thread_id"])
    assert list((await client.topics()).values()) == ["Amina (ar)"]
    await client.post(f"topics/{where['message_thread_id']}/delete")
    assert "thread not found" in (await api.raw("sendMessage", **where, text="x"))[1]["description"]
    assert await client.topics() == {}


async def test_through_aiogram(client: Client, api: Api) -> None:
    amina = await client.newcomer("Amina", "ar")
    await amina.write("/start")
    await client.set_limits(on=False)
    els = await client.staff("Els", status="administrator")
    async with Bot(TOKEN, AiohttpSession(api=TelegramAPIServer.from_base(api.url))) as bot:
        assert (await bot.get_me()).id == 7000000001
        with pytest.raises(exceptions.TelegramBadRequest, match="chat not found"):
            await bot.send_message(42, "x")
        paper = types.BufferedInputFile(b"%PDF-1.4 paper", "paper.pdf")
        sent = await bot.send_document(amina.id, paper, caption="your paper")
        assert sent.document is not None
        kept = await bot.download(sent.document.file_id, io.BytesIO())
        assert kept is not None
        assert kept.read() == b"%PDF-1.4 paper"
        assert (await bot.send_document(amina.id, sent.document.file_id)).document is not None
        with pytest.raises(exceptions.TelegramBadRequest, match="can't use file"):
            await bot.send_photo(amina.id, sent.document.file_id)
        assert (await bot.send_photo(amina.id, types.BufferedInputFile(b"png", "a.png"))).photo
        assert (await bot.send_voice(amina.id, types.BufferedInputFile(b"ogg", "a.ogg"))).voice
        assert (await bot.send_venue(amina.id, 51.1, 3.99, "Town hall", "Groentemarkt 1")).venue
        assert (await bot.send_location(amina.id, 51.1, 3.99)).location
        assert (await bot.send_contact(amina.id, "+32470000000", "Desk")).contact
        said = await bot.send_message(amina.id, "words")
        assert (await bot.copy_message(GROUP, amina.id, said.message_id)).message_id
        assert (await bot.forward_message(GROUP, amina.id, said.message_id)).forward_origin
        assert await bot.set_message_reaction(amina.id, said.message_id, [types.ReactionTypeEmoji(emoji="👍")])
        assert await bot.send_chat_action(amina.id, "typing")
        assert (await bot.get_chat(GROUP)).is_forum
        assert (await bot.get_chat_member(GROUP, els.id)).status == "administrator"
        assert {admin.user.id for admin in await bot.get_chat_administrators(GROUP)} == {7000000001, els.id}
        assert await bot.set_my_commands([types.BotCommand(command="start", description="Begin")], language_code="nl")
        assert await bot.set_my_description("d") and await bot.set_my_short_description("s")  # noqa: PT018
        assert await bot.set_chat_menu_button(amina.id, types.MenuButtonCommands())
        group = await bot.send_message(GROUP, "pin me")
        assert await bot.pin_chat_message(GROUP, group.message_id)
        assert await bot.leave_chat(GROUP)
        with pytest.raises(exceptions.TelegramForbiddenError):
            await bot.send_message(GROUP, "x")
