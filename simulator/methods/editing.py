"""Methods that change or remove a message, and answer a tap; it must refuse what Telegram refuses."""

from __future__ import annotations

from simulator.errors import bad
from simulator.messages import delete, edit
from simulator.methods import common
from simulator.params import Params
from simulator.shapes import found_entities
from simulator.state import Chat, Json
from simulator.world import World

DELETE_WITHIN = 48 * 3600
_QUERY_LIVES = 3600  # answered later: "query is too old"


def _own(world: World, params: Params) -> tuple[Chat, Json]:
    chat = common.chat_of(world, params)
    common.may_write(world, chat)
    message = common.message_of(chat, params, "edit")
    if message["from"]["id"] != world.state.bot_id:
        raise bad("message can't be edited")
    return chat, message


def _changed(world: World, chat: Chat, message: Json, patch: Json) -> Json:
    if all(message.get(name) == value for name, value in patch.items()):
        raise bad(
            "message is not modified: specified new message content and reply markup are exactly the same as a "
            "current content and reply markup of the message"
        )
    return edit(world, chat, message["message_id"], patch, told=False)


def _markup(params: Params) -> Json | None:
    markup = common.markup_of(params)
    return markup if markup and markup.get("inline_keyboard") else None


def edit_text(world: World, params: Params) -> Json:
    """EditMessageText."""
    text = common.text_of(params)
    chat, message = _own(world, params)
    if "text" not in message:
        raise bad("there is no text in the message to edit")
    patch = {"text": text, "entities": found_entities(text) or None, "reply_markup": _markup(params)}
    return _changed(world, chat, message, patch)


def edit_markup(world: World, params: Params) -> Json:
    """EditMessageReplyMarkup."""
    chat, message = _own(world, params)
    return _changed(world, chat, message, {"reply_markup": _markup(params)})


def _deletable(world: World, chat: Chat, message: Json) -> bool:
    if world.clock.unix() - message["date"] > DELETE_WITHIN and chat.type == "private":
        return False
    if message["from"]["id"] == world.state.bot_id or chat.type == "private":
        return True
    member = chat.members.get(world.state.bot_id, {})
    return member.get("status") == "administrator" and bool(member.get("can_delete_messages"))


def delete_message(world: World, params: Params) -> bool:
    """DeleteMessage: in private chats for 48 hours."""
    chat = common.chat_of(world, params)
    message = common.message_of(chat, params, "delete")
    if not _deletable(world, chat, message):
        raise bad("message can't be deleted for everyone")
    delete(world, chat, [message["message_id"]])
    return True


def delete_messages(world: World, params: Params) -> bool:
    """DeleteMessages: what cannot be deleted is left."""
    chat = common.chat_of(world, params)
    wanted = params.parsed("message_ids", "message identifiers", [])
    found = [chat.messages[int(one)] for one in wanted if int(one) in chat.messages]
    delete(world, chat, [one["message_id"] for one in found if _deletable(world, chat, one)])
    return True


def answer_query(world: World, params: Params) -> bool:
    """AnswerCallbackQuery: once, and soon."""
    query = world.state.queries.get(params.text("callback_query_id"))
    if query is None or world.clock.unix() - query["at"] > _QUERY_LIVES:
        raise bad("query is too old and response timeout expired or query ID is invalid")
    answer = {"text": params.text("text"), "show_alert": params.flag("show_alert")}
    world.emit("answered", query_id=params.text("callback_query_id"), answer=answer, user=query["user"])
    return True


def set_reaction(world: World, params: Params) -> bool:
    """SetMessageReaction of the bot."""
    chat = common.chat_of(world, params)
    message = common.message_of(chat, params, "react")
    reaction = params.parsed("reaction", "reaction", [])
    world.emit("reaction", chat=chat.id, message_id=message["message_id"], actor=world.state.bot_id, reaction=reaction)
    return True


METHODS = {
    "editmessagetext": edit_text,
    "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message,
    "deletemessages": delete_messages,
    "answercallbackquery": answer_query,
    "setmessagereaction": set_reaction,
}
