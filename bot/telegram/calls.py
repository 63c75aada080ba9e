"""The contract of an engine, over one function that posts a call; it must not know a library.

`post` comes from an engine: it gives the "result" of an answer, or raises a ChannelError named by what to do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, Protocol

import structlog

from bot.channel import (
    ChannelError,
    Description,
    Fault,
    Membership,
    NotSentError,
    Outgoing,
    RejectedError,
    Sent,
    StopPollingError,
    ThrottledError,
    TopicGoneError,
    UnknownOutcomeError,
    UnreachableError,
)
from bot.telegram import bodies
from bot.telegram.bodies import Call
from bot.telegram.updates import ALLOWED_UPDATES

log = structlog.get_logger(__name__)

_TOPIC_GONE: Final = ("thread not found", "topic_deleted", "topic deleted", "topic_id_invalid")
_HARMLESS: Final = ("message is not modified", "message to delete not found", "topic_not_modified", "query is too old")
_PARTS_TRIES: Final = 3
_PARTS_WAIT_MOST: Final = 30.0


class Post(Protocol):
    """Posts one call and gives its result."""

    def __call__(self, call: Call) -> Awaitable[Any]:
        """Raises a ChannelError."""


async def send(post: Post, outgoing: Outgoing) -> Sent:
    """Send one message (a long text in parts) or do one action. Raises a ChannelError named by what to do.

    Once the first part of a long text has arrived, the others are tried here: raising would send the first again.
    """
    try:
        if outgoing.action != "text":
            return _sent(await post(bodies.one(outgoing)))
        first, *rest = bodies.texts(outgoing)
    except ValueError as error:
        raise RejectedError(str(error)) from None
    sent = _sent(await post(first))
    for call in rest:
        sent = _sent(await _part(post, call))
    return sent


async def _part(post: Post, call: Call) -> Any:
    for tried in range(1, _PARTS_TRIES + 1):
        try:
            return await post(call)
        except (ThrottledError, NotSentError) as error:
            wait = error.retry_after if isinstance(error, ThrottledError) else float(tried)
            if tried == _PARTS_TRIES or wait > _PARTS_WAIT_MOST:
                raise UnknownOutcomeError("a later part of a long text") from None
            await asyncio.sleep(wait)
    raise AssertionError("the last try returns or raises")


def _sent(result: Any) -> Sent:
    if not isinstance(result, dict):
        return Sent()
    if "message_id" in result:
        return Sent(message_id=int(result["message_id"]))
    if "icon_color" in result:
        return Sent(thread=int(result["message_thread_id"]))
    return Sent()


async def me(post: Post) -> str:
    """Our username."""
    return str((await post(Call("getMe", {}))).get("username") or "")


async def presence(post: Post, chat: int, thread: int | None, tap_id: str) -> None:
    """Stop a button's spinner, or show "typing": may be lost."""
    where = {"chat_id": chat, **({} if thread is None else {"message_thread_id": thread})}
    try:
        if tap_id:
            await post(Call("answerCallbackQuery", {"callback_query_id": tap_id}))
        else:
            await post(Call("sendChatAction", {**where, "action": "typing"}))
    except ChannelError:
        log.debug("presence_lost")


async def member(post: Post, chat: int, user: int) -> Membership | None:
    """Somebody's place in a chat; None if the channel does not know them there."""
    try:
        found = await post(Call("getChatMember", {"chat_id": chat, "user_id": user}))
    except RejectedError:
        return None
    return _membership(found)


async def admins(post: Post, chat: int) -> list[Membership]:
    """The admins of a group, without bots."""
    found = await post(Call("getChatAdministrators", {"chat_id": chat}))
    return [_membership(one) for one in found if not one["user"].get("is_bot")]


def _membership(found: bodies.Json) -> Membership:
    user, status = found["user"], str(found["status"])
    if status == "restricted":
        status = "member" if found.get("is_member") else "left"
    name = " ".join(filter(None, (str(user.get("first_name") or ""), str(user.get("last_name") or ""))))
    return Membership(int(user["id"]), name, status, bot=False)


async def listen(post: Post, url: str, secret: str) -> None:
    """Have Telegram post the updates to an address."""
    body = {"url": url, "secret_token": secret, "allowed_updates": list(ALLOWED_UPDATES), "max_connections": 40}
    await post(Call("setWebhook", body))


async def describe(
    post: Post, descriptions: Sequence[Description], staff_chat: int | None, its_turn: Callable[[], Awaitable[None]]
) -> None:
    """Set the commands and the description per language ("" for everybody else); each call waits for its turn."""
    for call in bodies.describe(descriptions, staff_chat):
        await its_turn()
        await post(call)


async def inspect(post: Post, staff_chat: int | None) -> list[Fault]:
    """What is wrong with the token and the staff group, for `wegwijs check`."""
    try:
        own_id = (await post(Call("getMe", {})))["id"]
    except ChannelError as error:
        return [Fault(f"WEGWIJS_TELEGRAM_TOKEN: Telegram does not answer for this token ({error})")]
    if staff_chat is None:
        return [Fault("WEGWIJS_STAFF_CHAT_ID: is not set; nobody of the city can answer", "warning")]
    try:
        chat = await post(Call("getChat", {"chat_id": staff_chat}))
        own = await post(Call("getChatMember", {"chat_id": staff_chat, "user_id": own_id}))
    except ChannelError as error:
        return [Fault(f"WEGWIJS_STAFF_CHAT_ID: the bot cannot see this group ({error}); add it as an admin")]
    faults = []
    if not chat.get("is_forum"):
        faults.append(Fault("WEGWIJS_STAFF_CHAT_ID: the group has no topics; switch topics on in its settings"))
    for right, what in (("can_manage_topics", "manage topics"), ("can_delete_messages", "delete messages")):
        if not own.get(right):
            faults.append(Fault(f"WEGWIJS_STAFF_CHAT_ID: the bot may not {what}; make it an admin who may"))
    return faults


def refused(description: str) -> None:
    """A 400: returns when what we wanted is so already, else raises; the words of Telegram name no content."""
    lowered = description.lower()
    if any(part in lowered for part in _HARMLESS):
        return
    if any(part in lowered for part in _TOPIC_GONE):
        raise TopicGoneError(description)
    if "chat not found" in lowered:
        raise UnreachableError
    raise RejectedError(description)


def unknown_token(status: int) -> StopPollingError:
    """The token is wrong: nothing can work."""
    return StopPollingError(f"Telegram does not know this token ({status}); check WEGWIJS_TELEGRAM_TOKEN")
