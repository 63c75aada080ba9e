"""What goes out arrives as it was meant, by both engines."""

from __future__ import annotations

import pytest

from bot.channel import Description, Key, Membership, Outgoing, Sent
from bot.telegram.split import length


async def test_we_know_who_we_are(engine, running):
    assert engine.username == running.world.state.me["username"]


async def test_a_text_with_buttons(engine, amina):
    keys = (Key("Ja", data="yes"), Key("Kaart", url="https://www.lokeren.be/"))
    sent = await engine.send(Outgoing("text", amina.id, text="Komt u?", keys=keys))
    shown = await amina.last()
    assert (shown.id, shown.text) == (sent.message_id, "Komt u?")
    assert shown.buttons == [("Ja", "yes"), ("Kaart", "https://www.lokeren.be/")]


async def test_right_to_left_emoji_and_a_quote(engine, amina):
    first = await engine.send(Outgoing("text", amina.id, text="\u2067مرحبا\u2069 👋🏽"))
    await engine.send(Outgoing("text", amina.id, text="ja", reply_to=first.message_id, protect=True))
    messages = [one.raw for one in await amina.messages()]
    assert messages[-2]["text"] == "\u2067مرحبا\u2069 👋🏽"
    assert messages[-1]["reply_to_message"]["message_id"] == first.message_id


async def test_a_long_text_comes_in_parts_with_the_buttons_under_the_last(engine, amina):
    text = "\n\n".join(f"Alinea {number}: " + "woord " * 100 for number in range(15))
    sent = await engine.send(Outgoing("text", amina.id, text=text, keys=(Key("Verder", data="more"),)))
    parts = [one for one in await amina.messages() if not one.own]
    assert len(parts) > 1
    assert all(length(part.raw["text"]) <= 4096 for part in parts)
    assert " ".join(part.text for part in parts).split() == text.split()
    assert [bool(part.buttons) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert sent.message_id == parts[-1].id


async def test_people_called_by_name(engine, client, group):
    wout = await client.staff("Wout 👷")
    await engine.send(Outgoing("text", group, text="Hulp!", mentions=((wout.id, "Wout 👷"),)))
    raw = (await wout.messages())[-1].raw
    (entity,) = (await client.log("sendmessage"))[-1]["params"]["entities"]
    assert raw["text"] == "Hulp!\n\nWout 👷"
    assert (entity["type"], entity["offset"], entity["length"], entity["user"]["id"]) == (
        "text_mention", 7, 7, wout.id,
    )  # fmt: skip


async def test_edit_buttons_delete(engine, amina):
    at = (await engine.send(Outgoing("text", amina.id, text="een", keys=(Key("A", data="a"),)))).message_id
    await engine.send(Outgoing("edit", amina.id, message_id=at, text="twee", keys=(Key("B", data="b"),)))
    assert ((await amina.last()).text, (await amina.last()).buttons) == ("twee", [("B", "b")])
    await engine.send(Outgoing("buttons", amina.id, message_id=at))
    assert (await amina.last()).buttons == []
    await engine.send(Outgoing("delete", amina.id, message_id=at))
    assert all(one.own for one in await amina.messages())


async def test_a_reaction_is_put_and_taken_off(engine, amina, running):
    message = await amina.write("dank u")
    reactions = running.world.state.reactions
    key = f"{amina.id}/{message['message_id']}/{running.world.state.bot_id}"
    await engine.send(Outgoing("react", amina.id, message_id=message["message_id"], text="👍"))
    assert reactions[key] == [{"type": "emoji", "emoji": "👍"}]
    await engine.send(Outgoing("react", amina.id, message_id=message["message_id"]))
    assert reactions[key] == []


@pytest.mark.parametrize("kind", ["photo", "document", "voice"])
async def test_a_file_is_uploaded_and_sent_again_by_its_id(kind, engine, amina, running):
    content = bytes(range(256)) * 500
    out = Outgoing(kind, amina.id, content=content, name="naïef أ.bin", text="Zie bijlage", keys=(Key("A", data="a"),))
    sent = await engine.send(out)
    shown = await amina.last()
    assert shown.id == sent.message_id
    assert (shown.raw["caption"], shown.buttons) == ("Zie bijlage", [("A", "a")])
    file = shown.raw[kind][-1] if kind == "photo" else shown.raw[kind]
    assert running.world.blob(file["file_unique_id"]) == content
    await engine.send(Outgoing(kind, amina.id, file_id=file["file_id"]))
    again = (await amina.last()).raw
    assert (again[kind][-1] if kind == "photo" else again[kind])["file_id"] == file["file_id"]
    assert "caption" not in again


async def test_a_document_keeps_its_name(engine, amina):
    await engine.send(Outgoing("document", amina.id, content=b"BEGIN:VCALENDAR", name="les.ics"))
    assert (await amina.last()).raw["document"]["file_name"] == "les.ics"


async def test_a_venue_and_a_location(engine, amina):
    place = (51.1037, 3.9938)
    await engine.send(Outgoing("venue", amina.id, place=place, title="Stadhuis", address="Groentemarkt 1"))
    venue = (await amina.last()).raw["venue"]
    assert (venue["title"], venue["address"]) == ("Stadhuis", "Groentemarkt 1")
    await engine.send(Outgoing("location", amina.id, place=place))
    assert (await amina.last()).raw["location"] == {"latitude": 51.1037, "longitude": 3.9938}


async def test_keys_that_ask_and_go(engine, amina, running):
    keys = (Key("Deel mijn nummer", ask="contact"), Key("Deel mijn plaats", ask="location"), Key("Nee"))
    await engine.send(Outgoing("text", amina.id, text="Uw nummer?", keys=keys))
    assert running.world.state.keyboards[amina.id]["keyboard"] == [
        [{"text": "Deel mijn nummer", "request_contact": True}],
        [{"text": "Deel mijn plaats", "request_location": True}],
        [{"text": "Nee"}],
    ]
    await engine.send(Outgoing("text", amina.id, text="Goed.", hide_keys=True))
    assert not running.world.state.keyboards.get(amina.id, {}).get("keyboard")


async def test_a_topic_from_its_making_to_its_end(engine, running, group):
    topic = (await engine.send(Outgoing("topic_create", group, title="N" * 200))).thread
    topics = running.world.state.chats[group].topics
    assert topic is not None
    assert topics[topic].name == "N" * 128
    await engine.send(Outgoing("topic_edit", group, thread=topic, title="Zaak 7"))
    await engine.send(Outgoing("text", group, thread=topic, text="Nieuw"))
    await engine.send(Outgoing("topic_close", group, thread=topic))
    assert (topics[topic].name, topics[topic].closed) == ("Zaak 7", True)
    assert await engine.send(Outgoing("topic_close", group, thread=topic)) == Sent()
    await engine.send(Outgoing("topic_reopen", group, thread=topic))
    assert not topics[topic].closed
    await engine.send(Outgoing("topic_delete", group, thread=topic))
    assert topics[topic].deleted


async def test_a_message_is_copied_into_a_topic(engine, amina, client, group):
    wout = await client.staff("Wout")
    message = await amina.do("photo", caption="mijn brief")
    topic = (await engine.send(Outgoing("topic_create", group, title="Zaak"))).thread
    copied = Outgoing("copy", group, thread=topic, from_chat=amina.id, message_id=message["message_id"])
    sent = await engine.send(copied)
    shown = (await wout.messages(topic))[-1]
    assert (shown.id, shown.text) == (sent.message_id, "[photo] mijn brief")


async def test_membership_and_admins(engine, client, amina, group):
    wout = await client.staff("Wout", status="administrator")
    assert await engine.member(group, wout.id) == Membership(wout.id, "Wout", "administrator", bot=False)
    assert await engine.member(group, amina.id) is None
    assert wout.id in [one.user for one in await engine.admins(group)]


async def test_presence_stops_the_spinner_and_shows_typing(engine, amina, client):
    await engine.send(Outgoing("text", amina.id, text="?", keys=(Key("Ja", data="y"),)))
    tap = await amina.tap("Ja")
    await engine.presence(amina.id, None, tap["query_id"])
    await engine.presence(amina.id, None, "")
    assert [call["status"] for call in await client.log("answercallbackquery")] == [200]
    assert [call["params"]["action"] for call in await client.log("sendchataction")] == ["typing"]
    await engine.presence(amina.id, None, "no-such-tap")  # nothing to tell anybody


async def test_what_is_wrong_with_the_group(engine, running, group):
    assert await engine.inspect(group) == []
    assert [one.severity for one in await engine.inspect(None)] == ["warning"]
    assert "cannot see" in (await engine.inspect(-100999))[0].what
    running.world.state.chats[group].is_forum = False
    assert "no topics" in (await engine.inspect(group))[0].what


async def test_commands_and_descriptions_by_two_letters(engine, running, group):
    def entry(language: str, word: str) -> Description:
        return Description(language, (("start", word),), f"{word} long", f"{word} short")

    given = (("", "default"), ("fa_AF", "dari"), ("fa", "farsi"), ("prs", "x"), ("nl", "n"))
    waited = []

    async def its_turn() -> None:
        waited.append(len(state.profile) + len(state.commands))

    state = running.world.state
    await engine.describe([entry(*one) for one in given], staff_chat=group, its_turn=its_turn)
    assert waited == sorted(set(waited)), "each call waits for its turn"
    assert {key: commands[0]["description"] for key, commands in state.commands.items()} == {
        "all_private_chats//": "default", "all_private_chats//fa": "dari", "all_private_chats//nl": "n",
    }  # fmt: skip
    assert state.profile["description/fa"] == "dari long"
    assert {key.partition("/")[2] for key in state.profile} == {"", "fa", "nl"}


async def test_listen_sets_the_webhook_and_drops_nothing(engine, running, amina):
    await engine.listen("http://127.0.0.1:9/hook", "s" * 40)
    hook = running.world.state.webhook
    assert (hook["url"], hook["secret"], hook["max_connections"]) == ("http://127.0.0.1:9/hook", "s" * 40, 40)
    assert {"chat_member", "message_reaction", "callback_query"} <= set(running.world.state.allowed)
    assert running.world.state.pending
