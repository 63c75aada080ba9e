"""Where an update goes: danger first, then command, tap, open question, case, free text; it must say little itself."""

from __future__ import annotations

import dataclasses

from bot import cases, topics
from bot.conversation import Reply, Turn, reply
from bot.language import Text
from bot.message import say
from handlers import ask, danger, person, staff_group, start
from handlers.common import HELP_BUTTON, PERSON_BUTTON, in_language, out_of_date
from handlers.routes import Routes

_ALWAYS = frozenset({"sos", "soskind", "morehelp", "place", "number", "notmeant", "wipe", "person", "sendlast", "bot",
                     "sendfile", "data", "mydata", "forget", "stop", "language"})  # fmt: skip
"""What goes on while the bot is paused."""


def handle(routes: Routes, turn: Turn) -> Reply:
    """The reply to one update of a newcomer, or of a member of staff in the group."""
    return _staff(routes, turn) if turn.staff else _newcomer(routes, turn)


def _newcomer(routes: Routes, turn: Turn) -> Reply:
    kind = turn.incoming.kind
    if turn.look is not None and turn.look.dangers:
        return _in_danger(routes, turn)
    if topics.is_paused(turn.db) and turn.route not in _ALWAYS and cases.open_of(turn.db, turn.person.id) is None:
        return _paused()
    if kind == "tap":
        handler = routes.taps.get(turn.route)
        return handler(turn) if handler else out_of_date(turn)
    if kind == "text" and turn.route:
        handler = routes.commands.get(turn.route)
        return handler(turn) if handler else start.elsewhere(turn)
    return _text(routes, turn)


def _paused() -> Reply:
    words = Text("I cannot answer questions now. A person of the city can. In danger: call 112.")
    return reply(say(words, buttons=(PERSON_BUTTON, HELP_BUTTON)), state=None)


def _text(routes: Routes, turn: Turn) -> Reply:
    """A text, a file, a place: for the open question, the open case, a person, or a question to the bot."""
    kind = turn.incoming.kind
    state = routes.states.get(turn.state.name)
    if state is not None and kind == "text":
        return state(turn)
    case = cases.open_of(turn.db, turn.person.id)
    if case is not None:
        return person.in_case(turn, case)
    if kind in {"location", "contact"}:
        return person.stray(turn)
    if kind == "media":
        return person.media(turn)
    if kind not in {"text", "edit"} or not turn.said.strip():
        return reply(start.menu_message(turn), state=None)
    closed = cases.lately_closed(turn.db, turn.person.id, turn.now)
    if closed is not None and turn.city.staff and kind == "text" and not _only_polite(turn):
        return person.again(turn, closed)
    return _first_words(turn, ask.free_text(turn, routes.intents))


def _only_polite(turn: Turn) -> bool:
    return turn.look is not None and turn.look.decide(turn.person.language).label == "smalltalk"


def _first_words(turn: Turn, answer: Reply) -> Reply:
    """Who never chose a language gets the answer first, then the choice."""
    if turn.person.language is not None:
        return answer
    language = answer.messages[0].language if answer.messages else None
    choice = in_language([start.language_message(turn)], language)
    return dataclasses.replace(answer, messages=(*answer.messages, *choice))


def _in_danger(routes: Routes, turn: Turn) -> Reply:
    """The card and an urgent case; then what was asked, if that is sure."""
    assert turn.look is not None  # noqa: S101 (checked by the caller)
    danger.warn(turn, turn.look.dangers)
    kept = reply(state=None if turn.state.name in routes.states and turn.state.name != person.ASKING else turn.state)
    if turn.state.name == person.ASKING:
        return reply()
    if turn.state.name in routes.states or turn.incoming.kind != "text" or turn.route:
        return kept
    decision = turn.look.decide(turn.person.language)
    label = decision.label or ""
    if decision.action != "answer" or label not in turn.city.pack.topics or turn.city.pack.topics[label].urgent_case:
        return kept
    answer = ask.answer(turn, label, decision.language)
    return dataclasses.replace(answer, messages=in_language(answer.messages, decision.language))


def _staff(routes: Routes, turn: Turn) -> Reply:
    kind = turn.incoming.kind
    if kind == "tap":
        handler = routes.staff_taps.get(turn.route)
        return handler(turn) if handler else staff_group.help_(turn)
    if kind == "text" and turn.route:
        handler = routes.staff_commands.get(turn.route)
        return handler(turn) if handler else staff_group.help_(turn)
    state = routes.states.get(turn.state.name)
    if state is not None and kind == "text" and turn.state.data.get("thread", turn.thread) == turn.thread:
        return state(turn)
    return staff_group.in_topic(turn)
