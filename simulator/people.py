"""What people do on their phones: write, tap, speak, share, block, join the group; it must know no HTTP."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from simulator.errors import bad, forbidden
from simulator.messages import edit, keep_file, post, set_member, set_reach
from simulator.methods.sending import file_content
from simulator.shapes import RIGHTS, chat_json, found_entities, in_chat, user_json
from simulator.state import Chat, Json
from simulator.world import World

_OGG = b"OggS" + bytes(60)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003860180"
    "5a343dbe0000000049454e44ae426082"
)


def add(world: World, body: Json) -> Json:
    """A new person: first_name, last_name?, username?, language_code?."""
    user: Json = {"id": world.state.last_user_id + 1, "is_bot": False, "first_name": str(body["first_name"])}
    for name in ("last_name", "username", "language_code"):
        if body.get(name):
            user[name] = str(body[name])
    world.emit("user", user=user)
    return user


def _chat(world: World, user: int, body: Json) -> Chat:
    """The chat a person writes in: their own with the bot, or a group they are in."""
    wanted = int(body.get("chat") or user)
    chat = world.state.chats.get(wanted)
    if chat is None:
        raise bad("chat not found")
    if chat.type == "private":
        if chat.id != user:
            raise forbidden("this is somebody else's chat")
        # Who blocked the bot has no input line: only the button "Restart", or the command behind it.
        if world.state.reach[user] == "kicked" and not str(body.get("text", "")).startswith("/start"):
            raise forbidden("this person blocked the bot: first the deed restart or unblock, or the text /start")
        set_reach(world, user, "member")
    elif not in_chat(chat.members.get(user)):
        raise forbidden("this person is not in the group")
    thread = int(body.get("thread") or 0)
    if thread and chat.topic(thread) is None:
        raise bad("message thread not found")
    return chat


def _say(world: World, user: int, body: Json, content: Json) -> Json:
    chat = _chat(world, user, body)
    message = post(
        world, chat, user, content, thread=int(body.get("thread") or 0), reply_to=int(body.get("reply_to") or 0)
    )
    return {"message_id": message["message_id"], "update_id": world.state.last_update_id}


def write(world: World, user: int, body: Json) -> Json:
    """A text, perhaps forwarded."""
    text = str(body.get("text", ""))
    if not text:
        raise bad("message text is empty")
    content: Json = {"text": text}
    entities = found_entities(text)
    if entities:
        content["entities"] = entities
    if body.get("forward"):
        content["forward_origin"] = {
            "type": "hidden_user", "date": world.clock.unix(), "sender_user_name": str(body["forward"]),
        }  # fmt: skip
    return _say(world, user, body, content)


def edit_own(world: World, user: int, body: Json) -> Json:
    """Change an own text."""
    chat = _chat(world, user, body)
    message = chat.messages.get(int(body["message_id"]))
    if message is None or message["from"]["id"] != user:
        raise bad("message to edit not found")
    field = "caption" if "caption" in message else "text"
    edit(world, chat, message["message_id"], {field: str(body["text"])}, told=True)
    return {"message_id": message["message_id"], "update_id": world.state.last_update_id}


def tap(world: World, user: int, body: Json) -> Json:
    """Tap an inline button: any data may be sent, also old or tampered."""
    chat = _chat(world, user, body)
    message = chat.messages.get(int(body["message_id"]))
    query_id = uuid4().hex[:18]
    world.emit("tapped", query_id=query_id, user=user, at=world.clock.unix(), counter=world.state.counter)
    shown = message or {
        "message_id": int(body["message_id"]), "chat": chat_json(world.state, chat), "date": 0,
    }  # fmt: skip
    update_id = world.update(
        "callback_query",
        {
            "id": query_id, "from": user_json(world.state, user), "message": shown,
            "chat_instance": str(abs(chat.id)), "data": str(body["data"]),
        },
    )  # fmt: skip
    return {"query_id": query_id, "update_id": update_id}


def _file(world: World, kind: str, content: bytes, name: str, mime: str, extra: Json) -> Json:
    return file_content(keep_file(world, content, kind=kind, name=name, mime=mime, extra=extra))


def voice(world: World, user: int, body: Json) -> Json:
    """A voice note."""
    extra = {"duration": int(body.get("seconds") or 3)}
    return _say(world, user, body, _file(world, "voice", _OGG, "voice.ogg", "audio/ogg", extra))


def photo(world: World, user: int, body: Json) -> Json:
    """A photo, or several as an album."""
    count = int(body.get("count") or 1)
    album = {"media_group_id": uuid4().hex[:16]} if count > 1 else {}
    said: Json = {}
    for number in range(count):
        content = _file(world, "photo", _PNG, "photo.png", "image/png", {"width": 800, "height": 600})
        caption = {"caption": str(body["caption"])} if body.get("caption") and number == 0 else {}
        said = _say(world, user, body, content | caption | album)
    return said


def document(world: World, user: int, body: Json) -> Json:
    """A document."""
    name = str(body.get("file_name") or "brief.pdf")
    content = _file(world, "document", b"%PDF-1.4\n", name, "application/pdf", {})
    return _say(world, user, body, content | ({"caption": str(body["caption"])} if body.get("caption") else {}))


def sticker(world: World, user: int, body: Json) -> Json:
    """A sticker."""
    extra = {"width": 512, "height": 512, "type": "regular", "is_animated": False, "is_video": False, "emoji": "👍"}
    return _say(world, user, body, _file(world, "sticker", b"RIFF", "sticker.webp", "image/webp", extra))


def location(world: World, user: int, body: Json) -> Json:
    """Share a place."""
    place = {"latitude": float(body.get("latitude", 51.1)), "longitude": float(body.get("longitude", 3.99))}
    return _say(world, user, body, {"location": place})


def contact(world: World, user: int, body: Json) -> Json:
    """Share the own telephone number."""
    shown = {
        "phone_number": str(body.get("phone_number") or "+32470000000"),
        "first_name": world.state.users[user]["first_name"], "user_id": user,
    }  # fmt: skip
    return _say(world, user, body, {"contact": shown})


def react(world: World, user: int, body: Json) -> Json:
    """Put an emoji on a message."""
    chat = _chat(world, user, body)
    reaction = [{"type": "emoji", "emoji": str(body["emoji"])}]
    world.emit("reaction", chat=chat.id, message_id=int(body["message_id"]), actor=user, reaction=reaction)
    update_id = world.update(
        "message_reaction",
        {
            "chat": chat_json(world.state, chat), "message_id": int(body["message_id"]),
            "user": user_json(world.state, user), "date": world.clock.unix(), "old_reaction": [],
            "new_reaction": reaction,
        },
    )  # fmt: skip
    return {"update_id": update_id}


def block(world: World, user: int, _body: Json) -> Json:
    """Block the bot."""
    set_reach(world, user, "kicked")
    return {}


def unblock(world: World, user: int, _body: Json) -> Json:
    """Unblock it."""
    set_reach(world, user, "member")
    return {}


def restart(world: World, user: int, _body: Json) -> Json:
    """Press "Restart" in a chat with a blocked bot: it is unblocked and hears /start."""
    return write(world, user, {"text": "/start"})


DEEDS: dict[str, Callable[[World, int, Json], Json]] = {
    "write": write, "edit": edit_own, "tap": tap, "voice": voice, "photo": photo, "document": document,
    "sticker": sticker, "location": location, "contact": contact, "react": react, "block": block, "unblock": unblock,
    "restart": restart,
}  # fmt: skip


def place_in_group(world: World, user: int, deed: str, body: Json) -> None:
    """Join the staff group (status: member, administrator or creator; anonymous or not) or leave it."""
    chat = world.state.chats[world.state.staff_id]
    if deed == "leave":
        set_member(world, chat, user, {"status": "left"}, by=user)
        return
    if deed != "join":
        raise bad("expected join or leave")
    status = str(body.get("status") or "member")
    if status not in {"member", "administrator", "creator"}:
        raise bad("status: expected member, administrator or creator")
    member: Json = {"status": status, "is_anonymous": bool(body.get("anonymous"))}
    if status == "administrator":
        member |= dict.fromkeys(RIGHTS, True)
    set_member(world, chat, user, member, by=user)
