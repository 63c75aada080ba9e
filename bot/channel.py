"""What goes in and out of a messaging channel, as plain values; it must know no library and no database."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

IncomingKind = Literal[
    "text", "tap", "edit", "media", "location", "contact", "member", "reach", "reaction", "service", "other"
]  # fmt: skip
"""text: words or a command · tap: a button · edit: a text changed · media: voice, photo, document, sticker …
location, contact: shared by the person · member: somebody's place in a group changed (or the bot's own)
reach: the person blocked or unblocked the bot · reaction: an emoji put on a message (or taken off)
service: Telegram's own notices (topic created, pinned …)
other: what the bot has no use for (polls …)."""


@dataclass(frozen=True, slots=True)
class Media:
    """A file somebody sent: its kind as Telegram names it, and the id to send it on with."""

    kind: str
    file_id: str
    name: str = ""
    album: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """Somebody's place in a chat: `user` (Telegram id), `status` as Telegram names it, `bot` if it is ourselves."""

    user: int
    name: str
    status: str
    bot: bool


@dataclass(frozen=True, slots=True)
class Incoming:
    """One update, freed of the library that read it.

    `chat` and `sender` are Telegram ids (never logged); `thread` is the topic of a forum; `text` is the words or
    the caption; `data` is a button's callback data and `tap_id` what stops its spinner; `private` says that the
    chat is between one person and the bot; `anonymous` that an admin writes under the group's name.
    """

    update_id: int
    kind: IncomingKind
    chat: int
    sender: int | None = None
    sender_name: str = ""
    phone_language: str = ""
    private: bool = True
    forum: bool = False
    thread: int | None = None
    message_id: int = 0
    reply_to: int | None = None
    text: str = ""
    data: str = ""
    tap_id: str = ""
    media: Media | None = None
    place: tuple[float, float] | None = None
    phone: str = ""
    member: Membership | None = None
    anonymous: bool = False
    new_chat: int | None = None

    @property
    def lane(self) -> str:
        """What must stay in order: a chat, and in a group a chat and its topic."""
        return f"{self.chat}" if self.private else f"{self.chat}/{self.thread or 0}"


@dataclass(frozen=True, slots=True)
class Key:
    """A button as the channel sees it: a label and either callback data, an address, or what it asks to share."""

    label: str
    data: str = ""
    url: str = ""
    ask: Literal["", "location", "contact"] = ""


OutgoingAction = Literal[
    "text",
    "edit",
    "buttons",
    "delete",
    "photo",
    "document",
    "voice",
    "venue",
    "location",
    "copy",
    "topic_create",
    "topic_edit",
    "topic_close",
    "topic_reopen",
    "topic_delete",
    "react",
    "leave",
]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One call to the channel.

    `message_id` is the message to edit, delete or copy; `file_id` a file the channel already has, `content` bytes
    to upload under `name`; `title` a topic's or a venue's; `from_chat` where a copied message stands.
    """

    action: OutgoingAction
    chat: int
    thread: int | None = None
    text: str = ""
    keys: tuple[Key, ...] = ()
    message_id: int = 0
    reply_to: int | None = None
    from_chat: int = 0
    file_id: str = ""
    media_kind: str = ""
    content: bytes = b""
    name: str = ""
    title: str = ""
    address: str = ""
    place: tuple[float, float] | None = None
    protect: bool = False
    hide_keys: bool = False
    mentions: tuple[tuple[int, str], ...] = ()  # (Telegram id, name) of whom to call by name, below the text


@dataclass(frozen=True, slots=True)
class Sent:
    """What the channel gave back: the id of the message (0: none) and of the topic it made (None: none)."""

    message_id: int = 0
    thread: int | None = None


class ChannelError(Exception):
    """Something between us and the channel; each kind below is named by what to do about it."""


class NotSentError(ChannelError):
    """It certainly did not arrive (the connection was refused): send it again."""


class UnknownOutcomeError(ChannelError):
    """It may have arrived (time-out, reset, a 5xx): what to do depends on the kind of delivery."""


@dataclass
class ThrottledError(ChannelError):
    """The channel asks for silence: send nothing for `retry_after` seconds, then this again."""

    retry_after: float


class UnreachableError(ChannelError):
    """The person blocked the bot or never started it: send them nothing until they write."""


class TopicGoneError(ChannelError):
    """The topic in the staff group was deleted: make it anew and post there again."""


@dataclass
class ChatMovedError(ChannelError):
    """The group became a supergroup: send to `new_chat` from now on."""

    new_chat: int


class RejectedError(ChannelError):
    """The channel will never take this: do not send it again; the reason names no content."""


class StopPollingError(ChannelError):
    """Another process reads the same bot's updates, or the token is not valid: stop with this message."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of `wegwijs check`: what is wrong and what to do."""

    what: str
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Description:
    """How the bot presents itself in one language (two letters, or "" for everybody else)."""

    language: str
    commands: tuple[tuple[str, str], ...] = ()
    description: str = ""
    short: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
