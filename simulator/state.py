"""What the simulated Telegram knows, changed only by `apply`; it must not do input or output, nor read the time.

The event log is the truth: applying the same events again gives the same state.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

STAFF_GROUP = -1001000000001
BOT_ID = 7000000001
DEFAULT_TOKEN = "7000000001:SIMULATOR-token-that-opens-nothing-00"  # noqa: S105 (opens nothing)
FIRST_USER_ID = 5100000001
FIRST_UPDATE_ID = 100000001
_KEPT = 20_000  # updates and taps of a bounded run
GENERAL = 1  # Telegram's id of the topic "General", which no call may name


@dataclass
class Topic:
    """A topic of a forum; `thread` is the id of the service message that created it."""

    thread: int
    name: str
    icon_color: int
    icon_custom_emoji_id: str = ""
    closed: bool = False
    deleted: bool = False


@dataclass
class Chat:
    """A chat: `type` private, group or supergroup. `members` maps a user id to the Bot API's ChatMember fields."""

    id: int
    type: str
    title: str = ""
    is_forum: bool = False
    members: dict[int, Json] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Json] = field(default_factory=dict)
    pinned: int = 0
    migrated_to: int = 0
    last_id: int = 0

    def topic(self, thread: int) -> Topic | None:
        """The topic if it exists and was not deleted."""
        topic = self.topics.get(thread)
        return topic if topic is not None and not topic.deleted else None


@dataclass
class State:
    """Everything. `reach` says whether the bot may write to a user: none (never started), member, kicked.

    `pending` are the updates the bot has not taken, by id; `again` those to deliver once more. `keep` bounds a long
    run: so many messages of a chat are kept (0: all).
    """

    me: Json = field(
        default_factory=lambda: {
            "id": BOT_ID,
            "is_bot": True,
            "first_name": "Wegwijs Lokeren",
            "username": "WegwijsLokerenBot",
            "can_join_groups": True,
            "can_read_all_group_messages": True,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
            "has_topics_enabled": False,
        }
    )
    users: dict[int, Json] = field(default_factory=dict)
    reach: dict[int, str] = field(default_factory=dict)
    chats: dict[int, Chat] = field(default_factory=dict)
    staff_id: int = STAFF_GROUP
    keyboards: dict[int, Json] = field(default_factory=dict)
    updates: dict[int, Json] = field(default_factory=dict)
    pending: OrderedDict[int, Json] = field(default_factory=OrderedDict)
    again: deque[Json] = field(default_factory=deque)
    allowed: list[str] = field(default_factory=list)
    webhook: Json = field(default_factory=dict)
    commands: dict[str, list[Json]] = field(default_factory=dict)
    profile: dict[str, str] = field(default_factory=dict)
    menu: dict[str, Json] = field(default_factory=dict)
    files: dict[str, Json] = field(default_factory=dict)
    queries: dict[str, Json] = field(default_factory=dict)
    reactions: dict[str, list[Json]] = field(default_factory=dict)
    last_private_id: int = 0
    last_update_id: int = FIRST_UPDATE_ID - 1
    last_user_id: int = FIRST_USER_ID - 1
    counter: int = 0
    offset: float = 0.0
    keep: int = 0

    @property
    def bot_id(self) -> int:
        """The bot's user id: the number before the colon of the token in use."""
        return int(self.me["id"])

    def next_message_id(self, chat: Chat) -> int:
        """Supergroups count for themselves, all other chats of an account together, as Telegram does."""
        # In a forum the first number is General's: no topic of it may get that.
        return (max(chat.last_id, GENERAL) if chat.type == "supergroup" else self.last_private_id) + 1

    def apply(self, event: Json) -> None:
        """Change the state by one event; unknown types (the page's passing signals) change nothing."""
        change = getattr(self, f"_on_{event['type']}", None)
        if change is not None:
            change(event)

    def _on_bot(self, event: Json) -> None:
        old = self.bot_id
        self.me = {**self.me, **event["me"]}
        if self.bot_id != old:
            for chat in self.chats.values():
                if old in chat.members:
                    chat.members[self.bot_id] = chat.members.pop(old)

    def _on_user(self, event: Json) -> None:
        user = event["user"]
        self.users[user["id"]] = user
        self.reach.setdefault(user["id"], "none")
        if user["id"] < 10**12:
            self.last_user_id = max(self.last_user_id, user["id"])
        self.chats.setdefault(user["id"], Chat(user["id"], "private"))

    def _on_reach(self, event: Json) -> None:
        self.reach[event["user"]] = event["status"]

    def _on_chat(self, event: Json) -> None:
        chat = event["chat"]
        self.chats[chat["id"]] = Chat(chat["id"], chat["type"], chat["title"], chat.get("is_forum", False))

    def _on_member(self, event: Json) -> None:
        self.chats[event["chat"]].members[event["user"]] = event["member"]

    def _on_migrated(self, event: Json) -> None:
        old, new = self.chats[event["chat"]], event["new_chat"]
        self.chats[new] = Chat(
            new,
            "supergroup",
            old.title,
            old.is_forum,
            dict(old.members),
            old.topics,
            dict(old.messages),
            old.pinned,
            0,
            old.last_id,
        )
        old.migrated_to = new
        if self.staff_id == old.id:
            self.staff_id = new

    def _on_topic(self, event: Json) -> None:
        topics = self.chats[event["chat"]].topics
        thread = event["thread"]
        if thread not in topics:
            topics[thread] = Topic(thread, event["patch"]["name"], event["patch"]["icon_color"])
        for name, value in event["patch"].items():
            setattr(topics[thread], name, value)
        if event["patch"].get("deleted"):
            chat = self.chats[event["chat"]]
            gone = [i for i, m in chat.messages.items() if m.get("message_thread_id") == thread or i == thread]
            for message_id in gone:
                del chat.messages[message_id]

    def _on_message(self, event: Json) -> None:
        message = event["message"]
        chat = self.chats[event["chat"]]
        chat.messages[message["message_id"]] = message
        if self.keep and len(chat.messages) > 2 * self.keep:
            for old in list(chat.messages)[: -self.keep]:
                if old not in chat.topics:
                    del chat.messages[old]
        if chat.type == "supergroup":
            chat.last_id = max(chat.last_id, message["message_id"])
        else:
            self.last_private_id = max(self.last_private_id, message["message_id"])

    def _on_edited(self, event: Json) -> None:
        messages = self.chats[event["chat"]].messages
        # A new dict: the old one may stand in an update that is still to be delivered.
        merged = {**messages[event["message_id"]], **event["patch"]}
        messages[event["message_id"]] = {name: value for name, value in merged.items() if value is not None}

    def _on_deleted(self, event: Json) -> None:
        for message_id in event["message_ids"]:
            self.chats[event["chat"]].messages.pop(message_id, None)

    def _on_pinned(self, event: Json) -> None:
        self.chats[event["chat"]].pinned = event["message_id"]

    def _on_keyboard(self, event: Json) -> None:
        if event["markup"] is None:
            self.keyboards.pop(event["chat"], None)
        else:
            self.keyboards[event["chat"]] = event["markup"]

    def _on_reaction(self, event: Json) -> None:
        self.reactions[f"{event['chat']}/{event['message_id']}/{event['actor']}"] = event["reaction"]

    def _on_update(self, event: Json) -> None:
        update = event["update"]
        self.updates[update["update_id"]] = update
        if update["update_id"] in self.pending:
            self.again.append(update)
        else:
            self.pending[update["update_id"]] = update
        if update["update_id"] <= self.last_update_id:
            self.pending = OrderedDict(sorted(self.pending.items()))
        if self.keep and len(self.updates) > _KEPT:
            _forget(self.updates)
        self.last_update_id = max(self.last_update_id, update["update_id"])

    def _on_replay(self, event: Json) -> None:
        self.again.extend(self.updates[i] for i in event["update_ids"] if i in self.updates)

    def _on_ack(self, event: Json) -> None:
        # Sorted by id, so only the front goes: a flood is not copied at each poll.
        while self.pending and next(iter(self.pending)) <= event["upto"]:
            self.pending.popitem(last=False)

    def _on_delivered(self, event: Json) -> None:
        """A webhook took this update, or a poll took a repeated one."""
        if not event.get("again"):
            self.pending.pop(event["update_id"], None)
            return
        for place, update in enumerate(self.again):
            if update["update_id"] == event["update_id"]:
                del self.again[place]
                return

    def _on_allowed(self, event: Json) -> None:
        self.allowed = event["types"]

    def _on_webhook(self, event: Json) -> None:
        self.webhook = event["webhook"]

    def _on_commands(self, event: Json) -> None:
        if event["commands"] is None:
            self.commands.pop(event["key"], None)
        else:
            self.commands[event["key"]] = event["commands"]

    def _on_profile(self, event: Json) -> None:
        self.profile[f"{event['field']}/{event['language']}"] = event["value"]

    def _on_menu(self, event: Json) -> None:
        self.menu[event["key"]] = event["button"]

    def _on_file(self, event: Json) -> None:
        self.files[event["file"]["file_id"]] = event["file"]
        self.counter = max(self.counter, event["counter"])

    def _on_tapped(self, event: Json) -> None:
        self.queries[event["query_id"]] = event
        if self.keep and len(self.queries) > _KEPT:
            _forget(self.queries)
        self.counter = max(self.counter, event["counter"])

    def _on_answered(self, event: Json) -> None:
        self.queries[event["query_id"]] = {**self.queries[event["query_id"]], "answer": event["answer"]}

    def _on_album(self, event: Json) -> None:
        self.counter = max(self.counter, event["counter"])

    def _on_clock(self, event: Json) -> None:
        self.offset = event["offset"]


def _forget(kept: dict[Any, Any]) -> None:
    """The older half goes."""
    for name in list(kept)[: len(kept) // 2]:
        del kept[name]
