"""What is said, as values: messages, their buttons, words that are found late; it must not know who hears them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from bot.language import Sayable, pack, unpack

FROM_STAFF: Final = "staff"
"""Message.from_person of a message that stands in the staff group."""


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its label, and what tapping it says to the bot (`route` or `route:argument`, ≤ 64 bytes).

    `url` opens an address instead; `ask` = "location" or "contact" makes a keyboard key that shares it.
    """

    label: Sayable
    data: str = ""
    url: str = ""
    ask: Literal["", "location", "contact"] = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message to somebody, as a value; rendered in the reader's language when it leaves.

    `parts` are paragraphs (a blank line between). `language` fixes the language of the words ("in the language of
    the question"). `action` other than "text" acts on `message_id` or carries `file_id`, `content`, `title`,
    `address` and `place`, as in `channel.Outgoing`. `footer_rows` puts buttons beside each other in one last row.
    """

    parts: tuple[Sayable, ...] = ()
    buttons: tuple[Button, ...] = ()
    language: str | None = None
    action: str = "text"
    message_id: int = 0
    reply_to: int | None = None
    from_person: str = ""  # copy: the person in whose chat the copied message stands, or FROM_STAFF
    file_id: str = ""
    media_kind: str = ""
    content: str = ""  # base64, for files we make
    name: str = ""
    title: Sayable = ""
    address: Sayable = ""
    place: tuple[float, float] | None = None
    protect: bool = False
    hide_keys: bool = False  # takes away the key that shares a place or a number (then no buttons)
    mentions: tuple[str, ...] = ()  # person ids of staff who are called by name


def say(*parts: Sayable, buttons: Sequence[Button] = (), language: str | None = None) -> Message:
    """A text message of these paragraphs."""
    return Message(parts=parts, buttons=tuple(buttons), language=language)


@dataclass(frozen=True, slots=True)
class Late:
    """Words that are found only when the message leaves: the name of a renderer (`handlers.RENDERERS`) and its data.

    The renderer answers with a Message, or with None when it is no longer useful (the row is then `cancelled`).
    """

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class After:
    """What to do with the outcome, in the commit that stores it: a name (see `app.AFTERS`) and its data."""

    name: str
    data: Mapping[str, Any] = field(default_factory=dict)


def dump(content: Message | Late, after: After | None) -> str:
    """What a row of the outbox says, as text; `opened` is its inverse."""
    body: dict[str, Any] = (
        {"late": content.name, "data": dict(content.data)}
        if isinstance(content, Late)
        else {"m": pack_message(content)}
    )
    if after is not None:
        body["after"] = {"name": after.name, "data": dict(after.data)}
    return json.dumps(body, ensure_ascii=False)


def opened(text: str) -> tuple[Message | Late, After | None]:
    """The inverse of `dump`; what was forgotten is the empty message."""
    body = json.loads(text or '{"m": {}}')
    content = Late(body["late"], body["data"]) if "late" in body else unpack_message(body["m"])
    after = body.get("after")
    return content, After(after["name"], after["data"]) if after else None


_PLAIN_FIELDS: Final = (
    "language", "action", "message_id", "reply_to", "from_person", "file_id", "media_kind", "content", "name", "place",
    "protect", "hide_keys", "mentions",
)  # fmt: skip
_PLAIN_VALUES: Final = tuple((name, getattr(Message(), name)) for name in _PLAIN_FIELDS)


def pack_message(message: Message) -> dict[str, Any]:
    """A message as JSON-ready data; `unpack_message` is its inverse."""
    body = {name: value for name, empty in _PLAIN_VALUES if (value := getattr(message, name)) != empty}
    body["parts"] = [pack(part) for part in message.parts]
    if message.buttons:
        body["buttons"] = [
            {"label": pack(b.label), "data": b.data, "url": b.url, "ask": b.ask} for b in message.buttons
        ]
    for name in ("title", "address"):
        if getattr(message, name):
            body[name] = pack(getattr(message, name))
    return body


def unpack_message(body: Mapping[str, Any]) -> Message:
    """The inverse of `pack_message`."""
    values = {name: body[name] for name in _PLAIN_FIELDS if name in body}
    for name in ("place", "mentions"):
        if name in values:
            values[name] = tuple(values[name])
    return Message(
        parts=tuple(unpack(part) for part in body.get("parts", ())),
        buttons=tuple(Button(unpack(b["label"]), b["data"], b["url"], b["ask"]) for b in body.get("buttons", ())),
        title=unpack(body.get("title", "")),
        address=unpack(body.get("address", "")),
        **values,
    )
