"""Makes, changes and removes messages in chats, for the bot and for people alike; it must not check who may."""

from __future__ import annotations

from typing import Any

from simulator.shapes import ANONYMOUS, bot_user, chat_json, user_json
from simulator.state import Chat, Json
from simulator.world import World


def sender_fields(world: World, chat: Chat, user_id: int) -> Json:
    """`from`, and `sender_chat` for an anonymous administrator of a group."""
    if chat.members.get(user_id, {}).get("is_anonymous") and user_id != world.state.bot_id:
        return {"from": ANONYMOUS, "sender_chat": chat_json(world.state, chat)}
    return {"from": user_json(world.state, user_id)}


def quoted(message: Json) -> Json:
    """A message as it stands inside another: without its own quote."""
    return {name: value for name, value in message.items() if name != "reply_to_message"}


def post(
    world: World,
    chat: Chat,
    user_id: int,
    content: Json,
    *,
    thread: int = 0,
    reply_to: int = 0,
    told: bool | None = None,
) -> Json:
    """Put a message of `user_id` (the bot's too) in a chat and return it.

    `content` are the fields that make it a text, photo, service message …; `thread` 0 is no topic (or General);
    `told` says whether the bot gets an update (default: of what others write).
    """
    state = world.state
    message: Json = {"message_id": state.next_message_id(chat), **sender_fields(world, chat, user_id)}
    message |= {"chat": chat_json(state, chat), "date": world.clock.unix()}
    if thread:
        message |= {"message_thread_id": thread, "is_topic_message": True}
    answered = chat.messages.get(reply_to or thread)
    if answered is not None:
        # In a topic Telegram makes every message a reply to the one that created the topic.
        message["reply_to_message"] = quoted(answered)
    message |= content
    world.emit("message", chat=chat.id, message=message)
    if told if told is not None else user_id != state.bot_id:
        world.update("message", message)
    world.bells.ring(("chat", chat.id))
    return message


def edit(world: World, chat: Chat, message_id: int, patch: Json, *, told: bool) -> Json:
    """Change fields of a message (None removes one); `told` queues edited_message for the bot."""
    world.emit("edited", chat=chat.id, message_id=message_id, patch={**patch, "edit_date": world.clock.unix()})
    message = chat.messages[message_id]
    if told:
        world.update("edited_message", message)
    world.bells.ring(("chat", chat.id))
    return message


def delete(world: World, chat: Chat, message_ids: list[int]) -> None:
    """Remove messages for everybody; nobody is told, as with Telegram."""
    world.emit("deleted", chat=chat.id, message_ids=message_ids)


def create_topic(world: World, chat: Chat, user_id: int, name: str, look: Json) -> Json:
    """Create a topic with its service message; returns a ForumTopic."""
    thread = world.state.next_message_id(chat)
    world.emit("topic", chat=chat.id, thread=thread, patch={"name": name, **look})
    service: Json = {"forum_topic_created": {"name": name, **look}}
    message: Json = {"message_id": thread, **sender_fields(world, chat, user_id)}
    message |= {"chat": chat_json(world.state, chat), "date": world.clock.unix()}
    message |= {"message_thread_id": thread, "is_topic_message": True, **service}
    world.emit("message", chat=chat.id, message=message)
    world.update("message", message)
    world.bells.ring(("chat", chat.id))
    return {"message_thread_id": thread, "name": name, **look}


def change_topic(world: World, chat: Chat, user_id: int, thread: int, patch: Json, service: Json) -> None:
    """Change a topic and say so in it."""
    world.emit("topic", chat=chat.id, thread=thread, patch=patch)
    if not patch.get("deleted"):
        post(world, chat, user_id, service, thread=thread, told=True)


def set_member(world: World, chat: Chat, user_id: int, member: Json, *, by: int) -> None:
    """Change somebody's place in a group, with the update and, for coming and going, the service message."""
    from simulator.shapes import in_chat, member_json, shaped_member

    state = world.state
    user = user_json(state, user_id)
    old, before = member_json(state, chat, user_id), chat.members.get(user_id)
    is_bot = user_id == state.bot_id
    world.emit("member", chat=chat.id, user=user_id, member=member)
    came = in_chat(member) and not in_chat(before)
    went = in_chat(before) and not in_chat(member)
    body: Json = {
        "chat": chat_json(state, chat),
        "from": user_json(state, by),
        "date": world.clock.unix(),
        "old_chat_member": old,
        "new_chat_member": shaped_member(user, member),
    }
    if is_bot:
        world.update("my_chat_member", body)
    elif chat.members.get(state.bot_id, {}).get("status") == "administrator":
        world.update("chat_member", body)
    if came:
        content: Json = {"new_chat_members": [user], "new_chat_member": user, "new_chat_participant": user}
        post(world, chat, by, content, told=True)
    elif went:
        content = {"left_chat_member": user, "left_chat_participant": user}
        post(world, chat, by, content, told=not is_bot)


def set_reach(world: World, user_id: int, status: str) -> None:
    """A user starts, blocks ("kicked") or unblocks ("member") the bot."""
    state = world.state
    before = state.reach[user_id]
    if before == status:
        return
    world.emit("reach", user=user_id, status=status)
    if "kicked" in {before, status}:
        from simulator.shapes import shaped_member

        bot = bot_user(state)
        world.update(
            "my_chat_member",
            {
                "chat": chat_json(state, state.chats[user_id]),
                "from": user_json(state, user_id),
                "date": world.clock.unix(),
                "old_chat_member": shaped_member(bot, {"status": before}),
                "new_chat_member": shaped_member(bot, {"status": status}),
            },
        )


def migrate(world: World, chat: Chat) -> int:
    """Turn a group into a supergroup with a new id, as Telegram does; returns the new id."""
    new = min(-1002000000001, min(world.state.chats) - 1)
    before = chat_json(world.state, chat)
    world.emit("migrated", chat=chat.id, new_chat=new)
    moved = world.state.chats[new]
    creator = next((u for u, m in moved.members.items() if m["status"] == "creator"), next(iter(moved.members)))
    common: Json = {"from": user_json(world.state, creator), "date": world.clock.unix()}
    world.update(
        "message",
        {"message_id": world.state.next_message_id(chat), **common, "chat": before, "migrate_to_chat_id": new},
    )
    post(world, moved, creator, {"migrate_from_chat_id": chat.id}, told=True)
    return new


def keep_file(world: World, content: bytes, *, kind: str, name: str, mime: str, extra: Json) -> Json:
    """Keep a file's bytes and return its record: file_id, path, size and what its kind needs."""
    counter = world.state.counter + 1
    folder = {
        "photo": "photos",
        "voice": "voice",
        "video": "videos",
        "sticker": "stickers",
        "audio": "music",
        "animation": "animations",
        "video_note": "video_notes",
    }.get(kind, "documents")
    ending = name.rsplit(".", 1)[-1] if "." in name else "bin"
    unique = f"AQAD{counter:08d}"
    file: dict[str, Any] = {
        "file_id": f"{kind[:4].upper()}-file-{counter:08d}-simulated",
        "file_unique_id": unique,
        "file_size": len(content),
        "file_path": f"{folder}/file_{counter}.{ending}",
        "kind": kind,
        "name": name,
        "mime": mime,
        "extra": extra,
    }
    world.keep_blob(unique, content)
    world.emit("file", file=file, counter=counter)
    return file
