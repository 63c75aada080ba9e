"""Chats, members, files, and how the bot presents itself; it must show what Telegram shows and no more."""

from __future__ import annotations

from collections.abc import Callable

from simulator.errors import bad
from simulator.methods import common
from simulator.params import Params
from simulator.shapes import PERMISSIONS, chat_json, in_chat, member_json
from simulator.state import Json
from simulator.world import World


def get_chat(world: World, params: Params) -> Json:
    """GetChat: a ChatFullInfo."""
    chat = common.chat_of(world, params)
    shape = chat_json(world.state, chat)
    shape |= {
        "accent_color_id": 0, "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
        ),
    }  # fmt: skip
    if chat.type != "private":
        shape["permissions"] = dict.fromkeys(PERMISSIONS, True)
    return shape


def get_member(world: World, params: Params) -> Json:
    """GetChatMember."""
    chat = common.chat_of(world, params)
    user = params.number("user_id")
    if user != world.state.bot_id and user not in world.state.users:
        raise bad("member not found")
    if user not in chat.members:
        raise bad("member not found")
    return member_json(world.state, chat, user)


def get_admins(world: World, params: Params) -> list[Json]:
    """GetChatAdministrators."""
    chat = common.chat_of(world, params)
    if chat.type == "private":
        raise bad("there are no administrators in the private chat")
    return [
        member_json(world.state, chat, user)
        for user, member in chat.members.items()
        if member["status"] in {"creator", "administrator"}
    ]


def leave(world: World, params: Params) -> bool:
    """LeaveChat."""
    chat = common.chat_of(world, params)
    if not in_chat(chat.members.get(world.state.bot_id)):
        raise bad("bot is not a member of the chat")
    world.emit("member", chat=chat.id, user=world.state.bot_id, member={"status": "left"})
    return True


def pin(world: World, params: Params) -> bool:
    """PinChatMessage."""
    chat = common.chat_of(world, params)
    message = common.message_of(chat, params, "pin")
    common.admin_right(world, chat, "can_pin_messages")
    world.emit("pinned", chat=chat.id, message_id=message["message_id"])
    return True


def action(world: World, params: Params) -> bool:
    """SendChatAction: a passing signal."""
    chat = common.chat_of(world, params)
    common.may_write(world, chat)
    thread = common.thread_of(chat, params)
    world.signal({"type": "action", "chat": chat.id, "thread": thread, "action": params.text("action")})
    return True


def get_file(world: World, params: Params) -> Json:
    """GetFile."""
    record = world.state.files.get(params.text("file_id"))
    if record is None:
        raise bad("wrong file_id or the file is temporarily unavailable")
    return {name: record[name] for name in ("file_id", "file_unique_id", "file_size", "file_path")}


def set_commands(world: World, params: Params) -> bool:
    """SetMyCommands, by scope and language."""
    scope = params.parsed("scope", "bot command scope", {"type": "default"})
    commands = params.parsed("commands", "bot commands", [])
    for command in commands:
        if not str(command.get("command", "")).replace("_", "").isalnum() or len(str(command["command"])) > 32:
            raise bad("BOT_COMMAND_INVALID")
    key = f"{scope['type']}/{scope.get('chat_id', '')}/{params.text('language_code')}"
    world.emit("commands", key=key, commands=commands)
    return True


def _set_profile(field: str, most: int) -> Callable[[World, Params], object]:
    def setter(world: World, params: Params) -> bool:
        value = params.text(field)
        if len(value) > most:
            raise bad(f"{field} is too long")
        world.emit("profile", field=field, language=params.text("language_code"), value=value)
        return True

    return setter


def set_menu(world: World, params: Params) -> bool:
    """SetChatMenuButton."""
    button = params.parsed("menu_button", "menu button", {"type": "default"})
    world.emit("menu", key=params.text("chat_id"), button=button)
    return True


METHODS = {
    "getchat": get_chat,
    "getchatmember": get_member,
    "getchatadministrators": get_admins,
    "leavechat": leave,
    "pinchatmessage": pin,
    "sendchataction": action,
    "getfile": get_file,
    "setmycommands": set_commands,
    "setmydescription": _set_profile("description", 512),
    "setmyshortdescription": _set_profile("short_description", 120),
    "setmyname": _set_profile("name", 64),
    "setchatmenubutton": set_menu,
}
