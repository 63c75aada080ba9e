"""Topics of a forum: create, edit, close, reopen, delete; it must want the right to manage them."""

from __future__ import annotations

from simulator.errors import bad
from simulator.messages import change_topic, create_topic
from simulator.methods import common
from simulator.params import Params
from simulator.state import Chat, Json, Topic
from simulator.world import World

_COLORS = (7322096, 16766590, 13338331, 9367192, 16749490, 16478047)


def _forum(world: World, params: Params) -> Chat:
    chat = common.chat_of(world, params)
    common.may_write(world, chat)
    if not chat.is_forum:
        raise bad("the chat is not a forum")
    common.admin_right(world, chat, "can_manage_topics")
    return chat


def _topic(chat: Chat, params: Params) -> Topic:
    topic = chat.topic(params.number("message_thread_id"))
    if topic is None:
        raise bad("TOPIC_ID_INVALID")
    return topic


def create(world: World, params: Params) -> Json:
    """CreateForumTopic."""
    chat = _forum(world, params)
    name = params.text("name")
    if not 1 <= len(name) <= 128:
        raise bad("TOPIC_NAME_INVALID" if name else "topic name is empty")
    color = params.number("icon_color") or _COLORS[len(chat.topics) % len(_COLORS)]
    return create_topic(world, chat, world.state.bot_id, name, {"icon_color": color})


def edit(world: World, params: Params) -> bool:
    """EditForumTopic."""
    chat = _forum(world, params)
    topic = _topic(chat, params)
    name = params.text("name") or topic.name
    if name == topic.name:
        raise bad("TOPIC_NOT_MODIFIED")
    change_topic(world, chat, world.state.bot_id, topic.thread, {"name": name}, {"forum_topic_edited": {"name": name}})
    return True


def close(world: World, params: Params) -> bool:
    """CloseForumTopic."""
    chat = _forum(world, params)
    topic = _topic(chat, params)
    if topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    change_topic(world, chat, world.state.bot_id, topic.thread, {"closed": True}, {"forum_topic_closed": {}})
    return True


def reopen(world: World, params: Params) -> bool:
    """ReopenForumTopic."""
    chat = _forum(world, params)
    topic = _topic(chat, params)
    if not topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    change_topic(world, chat, world.state.bot_id, topic.thread, {"closed": False}, {"forum_topic_reopened": {}})
    return True


def delete(world: World, params: Params) -> bool:
    """DeleteForumTopic, with all its messages."""
    chat = _forum(world, params)
    common.admin_right(world, chat, "can_delete_messages")
    topic = _topic(chat, params)
    change_topic(world, chat, world.state.bot_id, topic.thread, {"deleted": True}, {})
    return True


METHODS = {
    "createforumtopic": create,
    "editforumtopic": edit,
    "closeforumtopic": close,
    "reopenforumtopic": reopen,
    "deleteforumtopic": delete,
}
