"""Methods that put a message in a chat; it must check like Telegram before anything is changed."""

from __future__ import annotations

from collections.abc import Callable

from simulator.errors import bad
from simulator.messages import keep_file, post
from simulator.methods import common
from simulator.params import Params
from simulator.shapes import found_entities
from simulator.state import Chat, Json
from simulator.world import World


def _send(world: World, params: Params, content: Json) -> Json:
    chat = common.chat_of(world, params)
    common.may_write(world, chat)
    thread = common.thread_of(chat, params)
    markup = common.markup_of(params)
    answered = common.reply_to(chat, params)
    message = post(
        world, chat, world.state.bot_id, {**content, **common.shown_markup(markup)}, thread=thread, reply_to=answered
    )
    common.keep_keyboard(world, chat, markup)
    return message


def send_message(world: World, params: Params) -> Json:
    """SendMessage."""
    text = common.text_of(params)
    entities = found_entities(text)
    return _send(world, params, {"text": text} | ({"entities": entities} if entities else {}))


def file_content(record: Json) -> Json:
    """The field of a message that carries a file."""
    shared = {name: record[name] for name in ("file_id", "file_unique_id", "file_size")}
    extra = record["extra"]
    match record["kind"]:
        case "photo":
            return {"photo": [{**shared, "width": extra.get("width", 512), "height": extra.get("height", 512)}]}
        case "document":
            return {"document": {**shared, "file_name": record["name"], "mime_type": record["mime"]}}
        case kind:
            return {kind: {**shared, **({"mime_type": record["mime"]} if kind != "sticker" else {}), **extra}}


def _send_file(kind: str) -> Callable[[World, Params], object]:
    def send(world: World, params: Params) -> Json:
        caption = common.text_of(params, "caption", common.CAPTION_MOST)
        upload = params.files.get(kind)
        given = params.text(kind)
        if given.startswith("attach://"):
            upload = params.files.get(given.removeprefix("attach://"))
        if upload is not None:
            extra = {"duration": params.number("duration")} if kind == "voice" else {}
            record = keep_file(world, upload.content, kind=kind, name=upload.name, mime=upload.mime, extra=extra)
        elif given in world.state.files:
            record = world.state.files[given]
            if record["kind"] != kind:
                raise bad(f"can't use file of type {record['kind'].title()} as {kind.title()}")
        elif given:
            raise bad("wrong file identifier/HTTP URL specified")
        else:
            raise bad(f"there is no {kind} in the request")
        return _send(world, params, file_content(record) | ({"caption": caption} if caption else {}))

    return send


def _place(params: Params) -> Json:
    latitude, longitude = params.real("latitude"), params.real("longitude")
    if latitude is None or longitude is None or abs(latitude) > 90 or abs(longitude) > 180:
        raise bad("latitude or longitude is invalid")
    return {"latitude": latitude, "longitude": longitude}


def send_location(world: World, params: Params) -> Json:
    """SendLocation."""
    return _send(world, params, {"location": _place(params)})


def send_venue(world: World, params: Params) -> Json:
    """SendVenue."""
    if not params.text("title"):
        raise bad("title must be non-empty")
    place = _place(params)
    venue = {"location": place, "title": params.text("title"), "address": params.text("address")}
    return _send(world, params, {"venue": venue, "location": place})


def send_contact(world: World, params: Params) -> Json:
    """SendContact."""
    if not params.text("phone_number"):
        raise bad("phone number is empty")
    contact = {"phone_number": params.text("phone_number"), "first_name": params.text("first_name")}
    return _send(world, params, {"contact": contact})


_COPIED = (
    "text",
    "caption",
    "entities",
    "photo",
    "document",
    "voice",
    "video",
    "sticker",
    "location",
    "venue",
    "contact",
    "audio",
    "animation",
    "video_note",
)


def _copied(world: World, params: Params, what: str) -> tuple[Chat, Json, Json]:
    source = common.chat_of(world, params, "from_chat_id")
    message = common.message_of(source, params, what)
    content = {name: message[name] for name in _COPIED if name in message}
    if not content:
        raise bad(f"message can't be {'copied' if what == 'copy' else 'forwarded'}")
    return source, message, content


def copy_message(world: World, params: Params) -> Json:
    """CopyMessage: a MessageId."""
    _, _, content = _copied(world, params, "copy")
    if params.has("caption"):
        content["caption"] = common.text_of(params, "caption", common.CAPTION_MOST)
    return {"message_id": _send(world, params, content)["message_id"]}


def forward_message(world: World, params: Params) -> Json:
    """ForwardMessage."""
    _, message, content = _copied(world, params, "forward")
    origin = {"type": "user", "date": message["date"], "sender_user": message["from"]}
    return _send(world, params, {**content, "forward_origin": origin})


METHODS = {
    "sendmessage": send_message,
    "senddocument": _send_file("document"),
    "sendphoto": _send_file("photo"),
    "sendvoice": _send_file("voice"),
    "sendvenue": send_venue,
    "sendlocation": send_location,
    "sendcontact": send_contact,
    "copymessage": copy_message,
    "forwardmessage": forward_message,
}
