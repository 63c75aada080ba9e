"""The Bot API's JSON shapes of users, chats, members and text; it must read the state only."""

from __future__ import annotations

import re

from simulator.state import Chat, Json, State

ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
    "can_pin_messages",
    "can_manage_topics",
)
PERMISSIONS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)
_ENTITY = re.compile(
    r"(?P<bot_command>(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)"
    r"|(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
    r"|(?P<url>https?://[^\s<>\u2066-\u2069]+[^\s<>\u2066-\u2069.,;:!?)])"
    r"|(?P<mention>(?<!\w)@[A-Za-z0-9_]{4,32})"
    r"|(?P<hashtag>(?<!\w)#\w{2,})",
)


def utf16(text: str) -> int:
    """Length as Telegram counts offsets: UTF-16 code units."""
    return len(text.encode("utf-16-le")) // 2


def found_entities(text: str) -> list[Json]:
    """The entities Telegram finds by itself: commands, addresses, mentions, hashtags."""
    if "/" not in text and "@" not in text and "#" not in text:
        return []  # most texts: the search is dear
    return [
        {"offset": utf16(text[: hit.start()]), "length": utf16(hit.group()), "type": hit.lastgroup}
        for hit in _ENTITY.finditer(text)
    ]


def bot_user(state: State) -> Json:
    """The bot as it stands in messages (getMe gives more)."""
    return {name: state.me[name] for name in ("id", "is_bot", "first_name", "username")}


def user_json(state: State, user_id: int) -> Json:
    """A user as in `from`."""
    if user_id == state.bot_id:
        return bot_user(state)
    user = state.users[user_id]
    return {name: value for name, value in user.items() if name not in {"photo", "phone"}}


def chat_json(state: State, chat: Chat) -> Json:
    """A chat as in `message.chat`."""
    if chat.type == "private":
        user = state.users[chat.id]
        names = ("id", "first_name", "last_name", "username")
        return {name: user[name] for name in names if name in user} | {"type": "private"}
    shape: Json = {"id": chat.id, "title": chat.title, "type": chat.type}
    if chat.is_forum:
        shape["is_forum"] = True
    if chat.type == "group":
        shape["all_members_are_administrators"] = False
    return shape


def member_json(state: State, chat: Chat, user_id: int) -> Json:
    """A ChatMember, with every field its status asks for."""
    member = chat.members.get(user_id, {"status": "left"})
    return shaped_member(user_json(state, user_id), member)


def shaped_member(user: Json, member: Json) -> Json:
    """A ChatMember of this user out of the few fields we keep."""
    status = member["status"]
    shape: Json = {"user": user, "status": status}
    if status == "creator":
        shape["is_anonymous"] = bool(member.get("is_anonymous"))
    elif status == "administrator":
        shape |= {"can_be_edited": False, "is_anonymous": bool(member.get("is_anonymous"))}
        shape |= {right: bool(member.get(right)) for right in RIGHTS}
    elif status == "restricted":
        shape |= {"is_member": True, "until_date": 0}
        shape |= {right: bool(member.get(right)) for right in PERMISSIONS}
    elif status == "kicked":
        shape["until_date"] = 0
    return shape


def in_chat(member: Json | None) -> bool:
    """Whether a member with these fields is in the chat."""
    return member is not None and member["status"] in {"creator", "administrator", "member", "restricted"}
