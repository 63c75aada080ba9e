"""Reads Telegram's raw updates as plain JSON into `Incoming`; it must not call the network or a library.

Both libraries fail a whole batch on one update they cannot parse, and then never move on: so each stored update is
read here alone. Fields: https://core.telegram.org/bots/api#update
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from bot.channel import Incoming, Media, Membership
from bot.inbox import RawUpdate

ALLOWED_UPDATES: Final = (
    "message", "edited_message", "callback_query", "my_chat_member", "chat_member", "message_reaction",
)  # fmt: skip
"""Every type that is used, named: Telegram leaves chat_member out by default."""

_MEDIA: Final = ("voice", "photo", "document", "video", "audio", "animation", "video_note", "sticker")
_SERVICE: Final = (
    "forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "pinned_message",
    "general_forum_topic_hidden", "general_forum_topic_unhidden", "new_chat_title", "new_chat_photo",
    "new_chat_members", "left_chat_member", "group_chat_created", "delete_chat_photo",
    "message_auto_delete_timer_changed", "migrate_from_chat_id",
)  # fmt: skip
_ANONYMOUS_BOT: Final = 1087968824  # GroupAnonymousBot: an admin who writes under the group's name
_NUMBER_MOST: Final = 2**63
_GONE: Final = frozenset({"kicked", "left"})


class UnreadableError(Exception):
    """An update is not what Telegram documents: park it. The message names the field, never its content."""


def raw_updates(batch: Any) -> list[RawUpdate]:
    """The updates of one getUpdates answer, each with its lane; one without a number is left out (it cannot be
    acknowledged one by one, and comes again).
    """
    return [
        raw_update(update)
        for update in (batch if isinstance(batch, list) else [])
        if number(update) is not None
    ]  # fmt: skip


def number(update: Any) -> int | None:
    """The update's number, None when it has none that can be stored."""
    found = update.get("update_id") if isinstance(update, dict) else None
    return found if type(found) is int and -_NUMBER_MOST <= found < _NUMBER_MOST else None


def raw_update(update: Mapping[str, Any]) -> RawUpdate:
    """One update with its lane. Never fails: what has no chat shares the lane "?"."""
    try:
        raw = json.dumps(update, ensure_ascii=False)
        if not raw.isascii():
            try:
                raw.encode()
            except UnicodeEncodeError:  # half a surrogate pair: no database stores it
                raw = raw.encode("utf-8", "replace").decode()
                update = json.loads(raw)
    except RecursionError:  # nested one level deeper than can be read or written from here
        return RawUpdate(update["update_id"], "?", "{}")
    try:
        incoming = read(update)
    except UnreadableError:
        return RawUpdate(update["update_id"], "?", raw)
    return RawUpdate(update["update_id"], incoming.lane, raw, incoming)


def read_posted(body: bytes) -> RawUpdate | None:
    """The update in a webhook's body; None if there is none."""
    try:
        update = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = update.get("update_id") if isinstance(update, dict) else None
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _NUMBER_MOST:
        return None
    return raw_update(update)


def read_stored(raw: str) -> Incoming:
    """A stored update. Raises UnreadableError."""
    return read(json.loads(raw))


def read(update: Mapping[str, Any]) -> Incoming:
    """One update as Incoming. Raises UnreadableError when it is not what Telegram documents."""
    try:
        return _read(update)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        kind = next((name for name in update if name != "update_id"), "nothing")
        msg = f"{kind} cannot be read ({type(error).__name__})"
        raise UnreadableError(msg) from None


def _read(update: Mapping[str, Any]) -> Incoming:  # noqa: PLR0911 (one type after the other)
    update_id = int(update["update_id"])
    if "message" in update:
        return _message(update_id, update["message"], edited=False)
    if "edited_message" in update:
        return _message(update_id, update["edited_message"], edited=True)
    if "callback_query" in update:
        return _tap(update_id, update["callback_query"])
    if "my_chat_member" in update:
        return _membership(update_id, update["my_chat_member"], bot=True)
    if "chat_member" in update:
        return _membership(update_id, update["chat_member"], bot=False)
    if "message_reaction" in update:
        return _reaction(update_id, update["message_reaction"])
    body = next((value for name, value in update.items() if name != "update_id" and isinstance(value, dict)), {})
    return Incoming(update_id=update_id, kind="other", **_chat(body.get("chat") or {"id": 0, "type": "private"}))


def _chat(chat: Mapping[str, Any]) -> dict[str, Any]:
    return {"chat": int(chat["id"]), "private": chat["type"] == "private", "forum": bool(chat.get("is_forum"))}


def _sender(user: Mapping[str, Any] | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {
        "sender": int(user["id"]),
        "sender_name": " ".join(filter(None, (str(user.get("first_name") or ""), str(user.get("last_name") or "")))),
        "phone_language": str(user.get("language_code") or ""),
    }


def _message(  # noqa: PLR0911 (one kind of message after the other)
    update_id: int, message: Mapping[str, Any], *, edited: bool
) -> Incoming:
    values: dict[str, Any] = {
        "update_id": update_id,
        **_chat(message["chat"]),
        **_sender(message.get("from")),
        "message_id": int(message["message_id"]),
        "text": str(message.get("text") or message.get("caption") or ""),
        "anonymous": (message.get("from") or {}).get("id") == _ANONYMOUS_BOT,
    }
    if message.get("is_topic_message"):
        values["thread"] = int(message["message_thread_id"])
    answered = message.get("reply_to_message")
    if answered and not answered.get("forum_topic_created"):
        values["reply_to"] = int(answered["message_id"])
    if "migrate_to_chat_id" in message:
        return Incoming(kind="service", new_chat=int(message["migrate_to_chat_id"]), **values)
    if any(name in message for name in _SERVICE):
        return Incoming(kind="service", **values)
    if edited:
        return Incoming(kind="edit", **values)
    if "location" in message:
        place = message["location"]
        return Incoming(kind="location", place=(float(place["latitude"]), float(place["longitude"])), **values)
    if "contact" in message:
        return Incoming(kind="contact", phone=str(message["contact"]["phone_number"]), **values)
    media = _media(message)
    if media is not None:
        return Incoming(kind="media", media=media, **values)
    return Incoming(kind="text" if "text" in message else "other", **values)


def _media(message: Mapping[str, Any]) -> Media | None:
    for kind in _MEDIA:
        if kind in message:
            file = message[kind][-1] if kind == "photo" else message[kind]
            return Media(
                kind=kind, file_id=str(file["file_id"]), name=str(file.get("file_name") or ""),
                album=str(message.get("media_group_id") or ""),
            )  # fmt: skip
    return None


def _tap(update_id: int, query: Mapping[str, Any]) -> Incoming:
    message = query.get("message")
    if message is None:  # an inline message: not ours
        return Incoming(update_id=update_id, kind="other", chat=int(query["from"]["id"]), **_sender(query["from"]))
    return Incoming(
        update_id=update_id,
        kind="tap",
        **_chat(message["chat"]),
        **_sender(query["from"]),
        thread=int(message["message_thread_id"]) if message.get("is_topic_message") else None,
        message_id=int(message["message_id"]),
        data=str(query.get("data") or ""),
        tap_id=str(query["id"]),
    )


def _reaction(update_id: int, change: Mapping[str, Any]) -> Incoming:
    """The emojis that stand there now, joined; custom ones have no text."""
    return Incoming(
        update_id=update_id,
        kind="reaction",
        **_chat(change["chat"]),
        **_sender(change.get("user")),
        message_id=int(change["message_id"]),
        text="".join(str(one.get("emoji") or "") for one in change["new_reaction"]),
    )


def _membership(update_id: int, change: Mapping[str, Any], *, bot: bool) -> Incoming:
    chat = _chat(change["chat"])
    new = change["new_chat_member"]
    status = str(new["status"])
    if status == "restricted":
        status = "member" if new.get("is_member") else "left"
    name = _sender(new["user"])["sender_name"]
    return Incoming(
        update_id=update_id,
        kind="reach" if bot and chat["private"] else "member",
        **chat,
        **_sender(change.get("from")),
        member=Membership(int(new["user"]["id"]), name, status, bot),
    )


def is_gone(status: str) -> bool:
    """Whether a status of my_chat_member or chat_member means: not there (any more)."""
    return status in _GONE
