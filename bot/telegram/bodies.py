"""What we ask of the Bot API, as method names and JSON bodies; it must not send and not know a library.

Fields: https://core.telegram.org/bots/api#available-methods
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from bot.channel import Description, Key, Outgoing
from bot.telegram.split import MOST, length, split

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """Bytes to upload: the field of the method, the name people see, and the content."""

    field: str
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the Bot API; `file` makes it an upload."""

    method: str
    body: Json
    file: File | None = None


_SENDS: Final = {"photo": "sendPhoto", "document": "sendDocument", "voice": "sendVoice"}
_TOPICS: Final = {
    "topic_edit": "editForumTopic", "topic_close": "closeForumTopic", "topic_reopen": "reopenForumTopic",
    "topic_delete": "deleteForumTopic",
}  # fmt: skip
_NAME_MOST: Final = 128


def texts(outgoing: Outgoing) -> list[Call]:
    """A text, in parts if it is long: the buttons under the last, the quote in the first."""
    parts = split(outgoing.text)
    parts, entities = _with_mentions(parts, outgoing)
    calls = []
    for number, part in enumerate(parts):
        body: Json = {"chat_id": outgoing.chat, "text": part, "link_preview_options": {"is_disabled": True}}
        if outgoing.thread is not None:
            body["message_thread_id"] = outgoing.thread
        if entities and number == len(parts) - 1:
            body["entities"] = entities
        if number == 0:
            _quote(body, outgoing)
        if number == len(parts) - 1:
            _keys(body, outgoing)
        if outgoing.protect:
            body["protect_content"] = True
        calls.append(Call("sendMessage", body))
    return calls


def one(outgoing: Outgoing) -> Call:  # noqa: C901, PLR0911, PLR0912 (one table of actions)
    """Any action but a text. Raises ValueError for an unknown one."""
    chat: Json = {"chat_id": outgoing.chat}
    at: Json = {**chat, "message_id": outgoing.message_id}
    action = outgoing.action
    match action:
        case "edit":
            return Call("editMessageText", _inline({**at, "text": outgoing.text}, outgoing.keys))
        case "buttons":
            return Call("editMessageReplyMarkup", _inline(at, outgoing.keys))
        case "delete":
            return Call("deleteMessage", at)
        case "react":
            emoji = [{"type": "emoji", "emoji": outgoing.text}] if outgoing.text else []
            return Call("setMessageReaction", {**at, "reaction": emoji})
        case "photo" | "document" | "voice":
            body = _shown({**chat, "caption": outgoing.text} if outgoing.text else chat, outgoing)
            if outgoing.file_id:
                return Call(_SENDS[action], {**body, action: outgoing.file_id})
            return Call(_SENDS[action], body, File(action, outgoing.name, outgoing.content))
        case "venue" | "location":
            latitude, longitude = outgoing.place or (0.0, 0.0)
            where = {**chat, "latitude": latitude, "longitude": longitude}
            if action == "location":
                return Call("sendLocation", _shown(where, outgoing))
            return Call("sendVenue", _shown({**where, "title": outgoing.title, "address": outgoing.address}, outgoing))
        case "copy":
            body = _inline({**at, "from_chat_id": outgoing.from_chat}, outgoing.keys)
            return Call("copyMessage", _thread(body, outgoing))
        case "topic_create":
            return Call("createForumTopic", {**chat, "name": outgoing.title[:_NAME_MOST]})
        case "topic_edit" | "topic_close" | "topic_reopen" | "topic_delete":
            body = {**chat, "message_thread_id": outgoing.thread or 0}
            name = {"name": outgoing.title[:_NAME_MOST]} if action == "topic_edit" else {}
            return Call(_TOPICS[action], {**body, **name})
        case "leave":
            return Call("leaveChat", chat)
        case _:
            raise ValueError(f"{action!r} is no single call of the Bot API")


def describe(descriptions: Sequence[Description], staff_chat: int | None) -> Iterator[Call]:
    """Commands and descriptions per language: two-letter codes only; what has none is left out; the first wins."""
    known: set[str] = set()
    for entry in descriptions:
        code = entry.language.replace("-", "_").partition("_")[0].lower()
        if code in known or len(code) not in {0, 2}:
            continue
        known.add(code)
        language = {"language_code": code} if code else {}
        private = {"scope": {"type": "all_private_chats"}}
        yield Call("setMyCommands", {"commands": _commands(entry.commands), **private, **language})
        yield Call("setMyDescription", {"description": entry.description, **language})
        yield Call("setMyShortDescription", {"short_description": entry.short, **language})
        staff = entry.extra.get("staff_commands", ())
        if staff_chat is not None and staff:
            scope = {"scope": {"type": "chat", "chat_id": staff_chat}}
            yield Call("setMyCommands", {"commands": _commands(staff), **scope})


def _commands(commands: Sequence[tuple[str, str]]) -> list[Json]:
    return [{"command": name, "description": text} for name, text in commands]


def _shown(body: Json, outgoing: Outgoing) -> Json:
    """A message with its topic, quote, buttons and protection."""
    shown = _thread(dict(body), outgoing)
    _quote(shown, outgoing)
    _keys(shown, outgoing)
    if outgoing.protect:
        shown["protect_content"] = True
    return shown


def _thread(body: Json, outgoing: Outgoing) -> Json:
    if outgoing.thread is not None:
        body["message_thread_id"] = outgoing.thread
    return body


def _quote(body: Json, outgoing: Outgoing) -> None:
    if outgoing.reply_to is not None:
        body["reply_parameters"] = {"message_id": outgoing.reply_to, "allow_sending_without_reply": True}


def _keys(body: Json, outgoing: Outgoing) -> None:
    if outgoing.hide_keys:
        body["reply_markup"] = {"remove_keyboard": True}
    elif any(key.ask for key in outgoing.keys):
        rows = [[{"text": key.label, **({f"request_{key.ask}": True} if key.ask else {})}] for key in outgoing.keys]
        body["reply_markup"] = {"keyboard": rows, "resize_keyboard": True, "one_time_keyboard": True}
    else:
        _inline(body, outgoing.keys)


def _inline(body: Json, keys: Sequence[Key]) -> Json:
    if keys and not any(key.ask for key in keys):
        body["reply_markup"] = {
            "inline_keyboard": [
                [{"text": key.label, "url": key.url} if key.url else {"text": key.label, "callback_data": key.data}]
                for key in keys
            ]
        }
    return body


def _with_mentions(parts: list[str], outgoing: Outgoing) -> tuple[list[str], list[Json]]:
    """The parts with a last line that calls people by name, and where (offsets in UTF-16 units of the last part)."""
    if not outgoing.mentions:
        return parts, []
    *before, text = parts
    text += "\n\n"
    if length(text) + sum(length(name) + 1 for _, name in outgoing.mentions) > MOST:
        before, text = parts, ""
    entities = []
    for number, (user, name) in enumerate(outgoing.mentions):
        text += " " if number else ""
        who = {"id": user, "is_bot": False, "first_name": name}
        entities.append({"type": "text_mention", "offset": length(text), "length": length(name), "user": who})
        text += name
    return [*before, text], entities
