"""What a person may do with their data: see it, erase it, have silence; it must ask once before it cannot be undone."""

from __future__ import annotations

import base64
import json
from typing import Any

from bot import erasure, own_data, people
from bot.conversation import Reply, Turn, reply
from bot.language import OWN_NAMES, Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON


def data(turn: Turn) -> Reply:
    """Tap 🔒."""
    muted = turn.person.muted
    return reply(
        say(
            Text(
                "What you write is kept safe. "
                "A person of the city reads it only if you ask for one, or if I think you are in danger."
            ),
            Text("I send nothing to the Immigration Office or the police by myself."),
            buttons=(
                Button(Text("📄 See my data"), "mydata"),
                Button(
                    Text("🔔 Reminders again") if muted else Text("🔕 No more reminders and news"),
                    "listen" if muted else "stop",
                ),
                Button(Text("🗑 Erase everything"), "forget"),
                MENU_BUTTON,
                HELP_BUTTON,
            ),
        )
    )


def my_data(turn: Turn) -> Reply:
    """/mydata: asks first, since somebody may look over the shoulder."""
    words = Text("I will show here all that I keep about you. Can nobody else see your screen?")
    return reply(say(words, buttons=(Button(Text("✅ Yes, show it"), "mydata:yes"), MENU_BUTTON)))


def show(turn: Turn) -> Reply:
    """Tap "see my data" and then "show it": a page to read, then the same as a file."""
    if turn.argument != "yes":
        return my_data(turn)
    found = own_data.collect(turn.db, turn.person.id)
    raw = json.dumps(found, ensure_ascii=False, indent=2)
    file = Message(
        action="document", name="my-data.json", content=base64.b64encode(raw.encode()).decode(),
        parts=(Text("The same, as a file."),), buttons=(MENU_BUTTON,),
    )  # fmt: skip
    return reply(say(*_page(found), buttons=(Button(Text("🗑 Erase everything"), "forget"), MENU_BUTTON)), file)


def _page(found: dict[str, Any]) -> list[Sayable]:
    names = [Said(one["name"] + (f" ({one['age']})" if one["age"] else "")) for one in found["participants"]]
    said = [Said(entry["words"]) for case in found["questions_to_the_city"] for entry in case["said"]]
    lines: list[Sayable] = [
        Text("Language: {language}", language=Said(OWN_NAMES.get(found["language"], "–"))),
        Text("First message: {day}", day=Said(found["first_seen"][:10])),
        Text("Telegram number: {number}", number=Said(str(found["telegram_id"]))),
        Text("Names for sessions: {names}", names=Joined(tuple(names)) if names else Said("–")),
        Text("Places in sessions: {n}", n=len(found["bookings"])),
        Text("Questions to a person: {n}", n=len(found["questions_to_the_city"])),
    ]
    page: list[Sayable] = [Text("This is what I keep about you:"), Joined(tuple(lines), "\n")]
    if said:
        page.append(Joined((Text("What was written with a person:"), *said), "\n"))
    page.append(Text("Your other questions are not kept with your name."))
    return page


def forget(turn: Turn) -> Reply:
    """/forget: asks once, says what goes and what it cannot reach."""
    if turn.argument == "yes":
        return _forgotten(turn)
    return reply(
        say(
            Text(
                "I erase everything about you: your language, names, places in sessions, "
                "and what you wrote to a person. "
                "Your places go to others."
            ),
            Text(
                "I cannot erase this chat on your phone, or what staff wrote on paper. Please delete the chat yourself."
            ),
            Text("Do you want this? It cannot be undone."),
            buttons=(Button(Text("🗑 Yes, erase everything"), "forget:yes"), Button(Text("❌ No"), "menu"), HELP_BUTTON),
        )
    )


def _forgotten(turn: Turn) -> Reply:
    language = people.language_of(turn.person, turn.city.pack.languages)
    words = Text("Everything about you is erased. You can write again at any time. In danger: call 112.")
    farewell = say(words, buttons=(MENU_BUTTON, HELP_BUTTON), language=language)
    erasure.erase_and_say(turn.db, turn.person.id, farewell, chat=turn.incoming.chat, city=turn.city, now=turn.now)
    return reply(state=None)


def stop(turn: Turn) -> Reply:
    """/stop: no reminders and no news; answers go on."""
    people.mute(turn.db, turn.person.id, turn.now)
    words = Text("You get no more reminders and no news. I still answer when you write.")
    return reply(say(words, buttons=(Button(Text("🔔 Reminders again"), "listen"), MENU_BUTTON, HELP_BUTTON)))


def listen(turn: Turn) -> Reply:
    """Tap: reminders again."""
    people.mute(turn.db, turn.person.id, None)
    return reply(say(Text("Good. I remind you again."), buttons=(MENU_BUTTON, HELP_BUTTON)))


def explain(turn: Turn) -> Reply:
    """Asked in words: who reads this?"""
    found = data(turn).messages[0]
    return reply(Message(parts=found.parts, buttons=(*found.buttons[:-2], PERSON_BUTTON, *found.buttons[-2:])))
