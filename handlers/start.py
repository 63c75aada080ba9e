"""First contact: the language, what this bot is, why somebody is here, and the menu; it must not answer questions."""

from __future__ import annotations

import dataclasses
from typing import Final

from bot import people
from bot.conversation import Reply, Turn, reply
from bot.language import OWN_NAMES, Said, Text
from bot.message import Button, Message, say
from handlers import ask, signup
from handlers.common import HELP_BUTTON, MENU_BUTTON, PERSON_BUTTON, WAYS_ON, out_of_date

_NEW: Final = (
    Button(Text("❓ Ask a question"), "ask"),
    Button(Text("🤝 People and free time"), "group:together"),
    Button(Text("📅 My sessions"), "sessions"),
    Button(Text("📂 Services"), "services"),
    PERSON_BUTTON,
)
_HELPER: Final = (
    Button(Text("👥 Be a buddy"), "topic:buddy"),
    Button(Text("🏡 Host families"), "topic:host-families"),
    Button(Text("💛 Help or give"), "topic:solidarity-city"),
    Button(Text("📅 Courses and groups"), "programmes"),
    Button(Text("❓ Ask a question"), "ask"),
    Button(Text("📂 Services"), "services"),
    PERSON_BUTTON,
)
_LAST: Final = (Button(Text("🌐 Language"), "language"), Button(Text("🔒 My data"), "data"), HELP_BUTTON)


def menu_message(turn: Turn) -> Message:
    """The menu, in the order that fits why somebody is here."""
    first = _HELPER if turn.person.role == "helper" else _NEW
    return say(Text("What do you want to do? You can also just write your question."), buttons=(*first, *_LAST))


def menu(turn: Turn) -> Reply:
    """Tap or /menu."""
    return reply(menu_message(turn))


def language_message(turn: Turn) -> Message:
    """Each language in its own name and script, the phone's first; never flags."""
    languages = turn.city.pack.languages
    hint = people.match_language(turn.person.phone_language or "", languages)
    ordered = sorted((code for code in OWN_NAMES if code in languages), key=lambda code: code != hint)
    buttons = [Button(Said(OWN_NAMES[code]), f"language:{code}") for code in ordered]
    other = Button(Text("🌐 Other language"), "language:other")
    return say(Text("Choose your language"), buttons=(*buttons, other, HELP_BUTTON))


def language(turn: Turn) -> Reply:
    """Tap "language" or /language: the list, or the choice."""
    if not turn.argument:
        return reply(language_message(turn), state=None)
    if turn.argument == "other":
        return reply(
            say(
                Text("I do not speak your language yet. A person of the city can help you, also with an interpreter."),
                Text("Write in any language. Write also which language you speak."),
                buttons=(PERSON_BUTTON, Button(Text("🌐 Language"), "language"), HELP_BUTTON),
            )
        )
    if turn.argument not in turn.city.pack.languages:
        return out_of_date(turn)
    return _chosen(turn, turn.argument)


def _chosen(turn: Turn, code: str) -> Reply:
    first_time = turn.person.language is None
    people.choose_language(turn.db, turn.person.id, code)
    turn = dataclasses.replace(turn, person=dataclasses.replace(turn.person, language=code))
    if first_time:
        return reply(introduction(turn))
    return reply(say(Text("From now on I write to you in this language.")), menu_message(turn))


def introduction(turn: Turn) -> Message:
    """What this is, before anything is asked; then why somebody is here."""
    return say(
        Text("I am a machine of the city of {city}. What you ask me, I answer.", city=turn.city.pack.city),
        Text("A person of the city reads it only if you ask for a person, or if I think you are in danger.")
        if turn.city.staff
        else Text("Nobody of the city reads this chat. I am only a machine."),
        Text("I send nothing to the Immigration Office or the police by myself."),
        Text(
            "Telegram stores this chat: send no photo of papers, no bank card, no password. You can erase everything."
        ),
        buttons=(
            Button(Text("🙋 I am new here"), "role:new"),
            Button(Text("💛 I want to help"), "role:helper"),
            HELP_BUTTON,
        ),
    )


def role(turn: Turn) -> Reply:
    """Tap: new here, or wants to help."""
    if turn.argument not in {"new", "helper"}:
        return out_of_date(turn)
    people.choose_role(turn.db, turn.person.id, turn.argument)
    turn = dataclasses.replace(turn, person=dataclasses.replace(turn.person, role=turn.argument))
    return reply(menu_message(turn))


def start(turn: Turn) -> Reply:
    """/start, also with the code of a deep link: l_<language>, t_<topic>, p_<programme>, j_<join code>."""
    kind, _, what = turn.argument.partition("_")
    if kind == "l" and what in turn.city.pack.languages:
        return _chosen(turn, what)
    if kind == "t" and what in turn.city.pack.topics:
        return _and_language(turn, ask.answer(turn, what))
    if kind == "p":
        return _and_language(turn, signup.programme_start(turn, what))
    if kind == "j":
        return _and_language(turn, signup.join(turn, what))
    if turn.person.language is None:
        return reply(language_message(turn))
    return reply(introduction(turn), menu_message(turn))


def _and_language(turn: Turn, first: Reply) -> Reply:
    """Who comes for the first time chooses a language after what they came for."""
    if turn.person.language is not None:
        return first
    return dataclasses.replace(first, messages=(*first.messages, language_message(turn)))


def capabilities(turn: Turn) -> Reply:
    """Asked "what can you do?", or /help."""
    return reply(
        say(
            Text("I am a machine of the city of {city}. What you ask me, I answer.", city=turn.city.pack.city),
            Text("I know about services, learning Dutch, school, free time and meeting people."),
            Text("I can sign you up for courses and groups, and remind you. I can bring your question to a person."),
            buttons=(MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON),
        )
    )


def greeting(turn: Turn) -> Reply:
    """A greeting gets a greeting; thanks are answered with the same kind words."""
    words = Text("Hello. I am glad that you write. You can ask me something, or choose from the menu.")
    return reply(say(words, buttons=WAYS_ON), state=None)


def elsewhere(turn: Turn) -> Reply:
    """A command that does not exist."""
    return reply(say(Text("I do not know this command. Here is the menu.")), menu_message(turn), state=None)
