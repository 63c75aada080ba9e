"""Checks that many methods share: chat, reach, topic, buttons, text; it must use Telegram's words for what is wrong."""

from __future__ import annotations

from simulator.errors import ApiError, bad, forbidden
from simulator.params import Params
from simulator.shapes import in_chat, utf16
from simulator.state import GENERAL, Chat, Json
from simulator.world import World

TEXT_MOST = 4096
CAPTION_MOST = 1024
DATA_MOST = 64


def chat_of(world: World, params: Params, name: str = "chat_id") -> Chat:
    """The chat a call names. Raises 400 or 403 as Telegram does."""
    if not params.has(name):
        raise bad("chat_id is empty")
    chat = world.state.chats.get(params.number(name))
    if chat is None:
        raise bad("chat not found")
    if chat.migrated_to:
        raise ApiError(
            400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": chat.migrated_to}
        )
    return chat


def may_write(world: World, chat: Chat) -> None:
    """Raises 403 when the bot may not write there."""
    if chat.type == "private":
        reach = world.state.reach.get(chat.id, "none")
        if reach == "kicked":
            raise forbidden("bot was blocked by the user")
        if reach == "none":
            raise forbidden("bot can't initiate conversation with a user")
    elif not in_chat(chat.members.get(world.state.bot_id)):
        raise forbidden("bot was kicked from the supergroup chat")


def thread_of(chat: Chat, params: Params) -> int:
    """The topic a call names (0: none). Raises 400 when it is gone or closed."""
    thread = params.number("message_thread_id")
    if not thread:
        return 0
    if thread == GENERAL and chat.is_forum:
        raise bad("message thread not found")
    if chat.topic(thread) is None:
        raise bad("message thread not found")
    return thread


def message_of(chat: Chat, params: Params, what: str) -> Json:
    """The message a call names. Raises 400: "message to edit not found" and the like."""
    message = chat.messages.get(params.number("message_id"))
    if message is None:
        raise bad(f"message to {what} not found")
    return message


def text_of(params: Params, name: str = "text", most: int = TEXT_MOST) -> str:
    """A text. Raises 400 when empty or too long."""
    text = params.text(name)
    if name == "text" and not text.strip():
        raise bad("message text is empty")
    if utf16(text) > most:
        raise bad("message is too long" if name == "text" else "message caption is too long")
    return text


def markup_of(params: Params) -> Json | None:
    """The buttons, checked: every inline button has one use, callback data is 1–64 bytes."""
    markup = params.parsed("reply_markup", "reply keyboard markup")
    if markup is None:
        return None
    if not isinstance(markup, dict):
        raise bad("object expected as reply markup")
    for row in markup.get("inline_keyboard", []):
        for key in row:
            if not key.get("text"):
                raise bad("text buttons are unallowed in the inline keyboard")
            uses = [
                name for name in ("callback_data", "url", "web_app", "switch_inline_query", "copy_text") if name in key
            ]
            if len(uses) != 1:
                raise bad("text buttons are unallowed in the inline keyboard")
            if uses == ["callback_data"] and not 1 <= len(str(key["callback_data"]).encode()) <= DATA_MOST:
                raise bad("BUTTON_DATA_INVALID")
    return markup


def shown_markup(markup: Json | None) -> Json:
    """What a message carries of its buttons: inline ones alone."""
    return {"reply_markup": markup} if markup and markup.get("inline_keyboard") else {}


def keep_keyboard(world: World, chat: Chat, markup: Json | None) -> None:
    """A keyboard below the input line, or its removal."""
    if markup is None:
        return
    if "keyboard" in markup:
        world.emit("keyboard", chat=chat.id, markup=markup)
    elif markup.get("remove_keyboard"):
        world.emit("keyboard", chat=chat.id, markup=None)


def reply_to(chat: Chat, params: Params) -> int:
    """The message that is answered (0: none)."""
    wanted = params.parsed("reply_parameters", "reply parameters", {})
    number = int(wanted.get("message_id") or params.number("reply_to_message_id"))
    if number and number not in chat.messages:
        if wanted.get("allow_sending_without_reply"):
            return 0
        raise bad("message to be replied not found")
    return number


def admin_right(world: World, chat: Chat, right: str) -> None:
    """Raises 400 unless the bot is an admin with this right."""
    member = chat.members.get(world.state.bot_id, {})
    if member.get("status") != "creator" and not (member.get("status") == "administrator" and member.get(right)):
        raise bad("not enough rights")
