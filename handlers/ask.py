"""Answers questions: sure, unsure or honest about not knowing; it must not sign anybody up and not open cases itself.

The language of an answer is the one of the question, when it clearly is another of ours than the person's own.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Final

from bot import handoff, people, questions, topics
from bot.conversation import Reply, State, Turn, reply
from bot.language import OWN_NAMES, Joined, Said, Sayable, Text
from bot.message import Button, Message, say
from bot.understanding import Decision
from handlers.common import (
    HELP_BUTTON,
    MENU_BUTTON,
    PERSON_BUTTON,
    WAYS_ON,
    content_text,
    in_language,
    language_of,
    out_of_date,
    titled,
)
from handlers.danger import honest
from handlers.sessions import below_answer

LAST_QUESTION: Final = "last"
"""The state that only remembers what was asked last: no question of ours is open."""

_JUST_NOW: Final = dt.timedelta(minutes=15)
_WITH_SESSIONS: Final = frozenset({"together", "leisure", "learning"})


def invite(turn: Turn) -> Reply:
    """Tap "ask a question"."""
    del turn
    words = Text("Write your question in your own words, in your own language. One question at a time is best.")
    return reply(say(words, buttons=(MENU_BUTTON, PERSON_BUTTON, HELP_BUTTON)))


def free_text(turn: Turn, intents: Mapping[str, Callable[[Turn], Reply]]) -> Reply:
    """Any text that answers no open question."""
    if turn.look is None:
        return unknown(turn)
    chosen = turn.person.language or people.match_language(turn.person.phone_language or "", turn.city.pack.languages)
    decision = turn.look.decide(chosen, _before(turn))
    if decision.action == "foreign":
        return foreign(turn, decision)
    fixed = decision.language if decision.language != language_of(turn) else None
    said = _decided(turn, decision, intents)
    messages = in_language(said.messages, fixed)
    if fixed is not None and turn.person.language is not None:
        messages = (*messages, _offer_switch(fixed))
    return dataclasses.replace(said, messages=messages)


def _decided(turn: Turn, decision: Decision, intents: Mapping[str, Callable[[Turn], Reply]]) -> Reply:
    label = decision.label or ""
    match decision.action:
        case "answer" if label in turn.city.pack.topics:
            return answer(turn, label, decision.language)
        case "intent" if label in intents:
            return intents[label](turn)
        case "choose" if decision.choices:
            return choose(turn, decision)
        case _:
            return unknown(turn, decision.language)


def _offer_switch(language: str) -> Message:
    button = Button(Joined((Said("🌐"), Said(OWN_NAMES[language])), " "), f"language:{language}")
    return say(Text("Shall I always write in this language?"), buttons=(button, MENU_BUTTON), language=language)


def _remember(turn: Turn, topic: str | None) -> State:
    if not turn.said:
        return State()
    return State(LAST_QUESTION, {"text": turn.said, "topic": topic, "at": turn.now.isoformat()})


def _before(turn: Turn) -> str | None:
    """The topic of the question before, if it was just now."""
    asked = turn.state.data.get("at")
    if turn.state.name != LAST_QUESTION or not asked or turn.now - dt.datetime.fromisoformat(asked) > _JUST_NOW:
        return None
    topic = turn.state.data.get("topic")
    return topic if topic in turn.city.pack.topics else None


def answer(turn: Turn, topic_id: str, language: str | None = None) -> Reply:
    """What we know about a topic, with who to ask, the source, and the ways on."""
    language = language or language_of(turn)
    questions.count(turn.db, topic_id, language, "answered", turn.now)
    messages = [answer_message(turn, topic_id, language)]
    topic = turn.city.pack.topics[topic_id]
    if topic.urgent_case:
        asked = turn.said or str(turn.state.data.get("text") or "")  # tapped after "do you mean …?"
        case = handoff.open_case(
            turn.db, turn.person, words=asked, kind="homeless", topic=topic_id, urgent=True, city=turn.city,
            now=turn.now, language=language,
        )  # fmt: skip
        if case is not None:
            goes_on = Text("What you write now goes to a person. Until then you can go back to the bot.")
            ways = (handoff.BACK_BUTTON, MENU_BUTTON, HELP_BUTTON)
            messages.append(say(honest(turn, case), goes_on, buttons=ways))
    return reply(*messages, state=_remember(turn, topic_id))


def answer_message(turn: Turn, topic_id: str, language: str) -> Message:
    """Title, answer, contact, next sessions, source, the Dutch title."""
    pack = turn.city.pack
    topic = pack.topics[topic_id]
    parts: list[Sayable] = [titled(turn, topic_id), *content_text(turn, f"topic:{topic_id}/answer")]
    values = topics.local_values(turn.db, pack)
    contacts = [values[name] for name in topic.contacts if values.get(name)]
    if contacts:
        parts.append(Text("Contact: {contact}", contact=Said(" · ".join(contacts))))
    if topic.confirm:
        parts.append(Text("This can change. Ask the city or a lawyer to be sure."))
    sign_up: list[Button] = []
    if topic.group in _WITH_SESSIONS:
        below, sign_up = below_answer(turn, topic_id)
        parts += below
    parts.append(
        Text("Source: {source} (in Dutch). Checked: {day}", source=topic.source, day=Said(f"{topic.checked:%d/%m/%Y}"))
    )
    if language != pack.source_language:
        parts.append(Said(f"NL: {pack.look_up(f'topic:{topic_id}/title', pack.source_language)}"))
    buttons = [
        *sign_up,
        Button(Text("👍 This helped"), f"helped:{topic_id}"),
        Button(Text("👎 This did not help"), f"nothelped:{topic_id}"),
        Button(Text("➕ More about this"), f"more:{topic_id}"),
        PERSON_BUTTON,
        MENU_BUTTON,
    ]
    return say(*parts, buttons=buttons)


def topic(turn: Turn) -> Reply:
    """Tap on a topic."""
    if turn.argument not in turn.city.pack.topics:
        return out_of_date(turn)
    return answer(turn, turn.argument)


def more(turn: Turn) -> Reply:
    """Tap "more about this": what is near it, and the Dutch text to show at a counter."""
    found = turn.city.pack.topics.get(turn.argument)
    if found is None:
        return out_of_date(turn)
    buttons = [Button(titled(turn, other), f"topic:{other}") for other in found.related]
    if language_of(turn) != turn.city.pack.source_language:
        buttons.append(Button(Text("📄 Text in Dutch, to show"), f"dutch:{found.id}"))
    buttons += [PERSON_BUTTON, MENU_BUTTON]
    return reply(say(Text("More about: {title}", title=titled(turn, found.id)), buttons=buttons), state=None)


def dutch(turn: Turn) -> Reply:
    """Tap: the Dutch text of a topic."""
    if turn.argument not in turn.city.pack.topics:
        return out_of_date(turn)
    parts = [titled(turn, turn.argument), *content_text(turn, f"topic:{turn.argument}/answer")[:1]]
    shown = say(*parts, language=turn.city.pack.source_language)
    below = say(Text("You can show this text to somebody."), buttons=(MENU_BUTTON, PERSON_BUTTON))
    return reply(shown, below, state=None)


def choose(turn: Turn, decision: Decision) -> Reply:
    """Unsure: at most three topics, and "none of these"."""
    questions.note_question(turn.db, turn.said, decision.language, decision.choices[0], "unsure", now=turn.now)
    buttons = [Button(titled(turn, name), f"topic:{name}") for name in decision.choices]
    none = Button(Text("🤷 None of these"), "none")
    return reply(
        say(Text("Do you mean one of these?"), buttons=(*buttons, none, PERSON_BUTTON)),
        state=_remember(turn, decision.choices[0]),
    )


def none_of_these(turn: Turn) -> Reply:
    """Tap "none of these"."""
    return dataclasses.replace(_honest(), state=None)


def unknown(turn: Turn, language: str | None = None) -> Reply:
    """No idea: say so, and show the ways on."""
    if turn.said:
        questions.note_question(turn.db, turn.said, language or language_of(turn), None, "unknown", now=turn.now)
    return dataclasses.replace(_honest(), state=_remember(turn, None))


def _honest() -> Reply:
    return reply(
        say(
            Text("I do not know the answer to this. I am a machine and I do not know everything."),
            Text("You can ask it in other words, look in the menu, or talk to a person of the city."),
            buttons=(PERSON_BUTTON, MENU_BUTTON, HELP_BUTTON),
        )
    )


def foreign(turn: Turn, decision: Decision) -> Reply:
    """A language we do not have: its fixed lines and a person; never an answer in a neighbouring language."""
    found = turn.look.foreign if turn.look else None
    lines = (found.lines if found else "").replace("{n112}", turn.city.pack.values["n112"].value)
    buttons = [PERSON_BUTTON, Button(Text("🌐 Language"), "language"), HELP_BUTTON]
    questions.note_question(turn.db, turn.said, decision.language, None, "unknown", now=turn.now)
    return reply(say(Said(lines), buttons=buttons), state=_remember(turn, None))


def helped(turn: Turn) -> Reply:
    """Tap 👍."""
    if turn.argument not in turn.city.pack.topics:
        return out_of_date(turn)
    questions.count(turn.db, turn.argument, language_of(turn), "helped", turn.now)
    return reply(say(Text("Good. You can always ask me something else."), buttons=(MENU_BUTTON, HELP_BUTTON)))


def not_helped(turn: Turn) -> Reply:
    """Tap 👎: what else is there, and a person."""
    found = turn.city.pack.topics.get(turn.argument)
    if found is None:
        return out_of_date(turn)
    questions.count(turn.db, found.id, language_of(turn), "not_helped", turn.now)
    if turn.state.name == LAST_QUESTION and turn.state.data.get("text"):
        asked = turn.state.data["text"]
        questions.note_question(turn.db, asked, language_of(turn), found.id, "not-helped", now=turn.now)
    near = [Button(titled(turn, other), f"topic:{other}") for other in found.related]
    words = Text("I am sorry. Perhaps one of these helps, or a person of the city.")
    return reply(say(words, buttons=(PERSON_BUTTON, *near, *WAYS_ON[:1], HELP_BUTTON)), state=None)
