"""The bot in a terminal: what it makes of a text, and a talk with it as a newcomer; it must keep nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any, Final

import click

from bot import catalogs, logs, topics
from bot.app import App
from bot.channel import Description, Fault, Key, Membership, Outgoing, Sent
from bot.env_file import made_keys
from bot.inbox import RawUpdate
from bot.language import Text, plain, render
from bot.parts import make_look_up, make_understanding
from bot.settings import Settings, SettingsError, load
from bot.topics import Pack
from bot.understanding import Decision, Look

_ME: Final = 1001


def ask(settings: Settings, text: str, language: str | None) -> dict[str, Any]:
    """What the bot makes of a text, as plain data: dangers, language, action, topic, confidence, choices, answer."""
    pack = topics.load(settings.content)
    look = make_understanding(pack, settings.cache).look(text)
    decision = look.decide(language if language in pack.languages else None)
    told: dict[str, Any] = {
        "dangers": list(look.dangers),
        "language": decision.language,
        "action": decision.action,
        "label": decision.label,
        "confidence": round(decision.confidence, 3),
        "choices": list(decision.choices),
        "foreign": look.foreign.code if look.foreign else None,
    }
    if decision.action == "answer" and decision.label is not None:
        told["answer"] = _answer(pack, decision.label, decision.language)
    return told


_PEOPLE: Final = frozenset({"human", "case-status", "complaint"})
_CHAT: Final = frozenset({"smalltalk", "capabilities"})


def ask_lines(settings: Settings, lines: Iterable[str]) -> Iterator[str]:
    """A line of JSON per line of JSON, in order: {"text", "language" (or none)} → {"language", "action", "topic",
    "crisis", "confidence", "choices"}. Raises SettingsError that names the line which is not so.
    """
    pack = topics.load(settings.content)
    understanding = make_understanding(pack, settings.cache)
    for number, line in enumerate(lines, 1):
        if line.strip():
            text, language = _question(line, number)
            look = understanding.look(text)
            decision = look.decide(language if language in pack.languages else None)
            yield json.dumps(_told(look, decision), ensure_ascii=False)


def _question(line: str, number: int) -> tuple[str, str | None]:
    try:
        given = json.loads(line)
        text, language = given["text"], given.get("language")
    except (ValueError, TypeError, KeyError, AttributeError):
        text = language = None
    if not isinstance(text, str) or not isinstance(language, str | None):
        raise SettingsError(f'line {number}: expected {{"text": "…", "language": "ar"}} (language may be left out)')
    return text, language


def _told(look: Look, decision: Decision) -> dict[str, Any]:
    label, foreign = decision.label, decision.action == "foreign"
    action = {"answer": "answer", "choose": "choose", "unknown": "unknown", "foreign": "person"}.get(decision.action)
    if action is None:
        action = "person" if label in _PEOPLE else "chat" if label in _CHAT else "answer"
    return {
        "language": look.foreign.code if look.foreign and foreign else decision.language,
        "action": "crisis" if look.dangers else action,
        "topic": label if decision.action in {"answer", "intent"} else None,
        "crisis": look.likeliest,
        "confidence": round(decision.confidence, 4),
        "choices": [name for name, _ in decision.ranked[:3]] if decision.action == "choose" else [],
    }


def _answer(pack: Pack, topic: str, language: str) -> str:
    look_up = make_look_up(pack, catalogs.load(pack.languages), lambda _key, _language: None)
    values = {value.name: value.value for value in pack.values.values()}
    return plain(render(Text(f"topic:{topic}/answer", **values), language, look_up))


def as_lines(told: dict[str, Any]) -> str:
    """The same for people."""
    return "\n".join(f"{name + ':':12} {value}" for name, value in told.items() if value not in (None, [], ""))


class Terminal:
    """An engine that reads lines and prints messages; buttons are numbered."""

    username = "WegwijsBot"

    def __init__(self, language: str) -> None:
        self._language = language
        self._numbers = itertools.count(1)
        self._buttons: list[Key] = []
        self.at_end: Callable[[], None] = lambda: None

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    async def listen(self, url: str, secret: str) -> None:
        """Nothing posts here."""

    async def poll(self, accept: Callable[[Sequence[RawUpdate]], Awaitable[None]]) -> None:
        """Each line is a text, or the number of a button; the end of input ends the talk."""
        while line := await asyncio.to_thread(sys.stdin.readline):
            text = line.strip()
            if text:
                number = next(self._numbers)
                update = self._update(number, text)
                await accept([RawUpdate(number, str(_ME), json.dumps(update))])
        self.at_end()

    def _update(self, number: int, text: str) -> dict[str, Any]:
        user = {"id": _ME, "is_bot": False, "first_name": "You", "language_code": self._language}
        chat = {"id": _ME, "type": "private", "first_name": "You"}
        if text.isdecimal() and 0 < int(text) <= len(self._buttons):
            key = self._buttons[int(text) - 1]
            message = {"message_id": number, "date": 1, "chat": chat, "text": "…"}
            tap = {"id": "", "from": user, "message": message, "chat_instance": "1", "data": key.data}
            return {"update_id": number, "callback_query": tap}
        said = {"message_id": number, "date": 1, "chat": chat, "from": user, "text": text}
        return {"update_id": number, "message": said}

    async def send(self, outgoing: Outgoing) -> Sent:
        """Print."""
        if outgoing.action in {"delete", "buttons", "leave"}:
            return Sent(message_id=outgoing.message_id)
        click.echo(f"\n{outgoing.text or f'[{outgoing.action} {plain(outgoing.title)}]'}")
        if outgoing.keys:
            self._buttons = [key for key in outgoing.keys if key.data]
        for number, key in enumerate(self._buttons if outgoing.keys else (), 1):
            click.echo(f"   [{number}] {key.label}")
        return Sent(message_id=next(self._numbers))

    async def presence(self, chat: int, thread: int | None, tap_id: str) -> None:
        """Nothing to show."""

    async def member(self, chat: int, user: int) -> Membership | None:
        """No group."""
        del chat, user
        return None

    async def admins(self, chat: int) -> list[Membership]:
        """No group."""
        del chat
        return []

    async def describe(
        self, descriptions: Sequence[Description], *, staff_chat: int | None, its_turn: Callable[[], Awaitable[None]]
    ) -> None:
        """Nothing to describe."""

    async def inspect(self, staff_chat: int | None) -> list[Fault]:
        """Nothing to inspect."""
        del staff_chat
        return []


async def talk(language: str) -> None:
    """Talk until the end of input (Ctrl-D). The database is a temporary one."""
    logs.start("ERROR", pretty=True)
    with tempfile.TemporaryDirectory() as folder:
        keys = made_keys()
        settings = load(
            _env_file=None, database_url=f"sqlite:///{folder}/talk.db", http_port=0, pace="off", staff_chat_id=None,
            encryption_key=keys["encryption_key"], index_key=keys["index_key"], content=load().content,
        )  # fmt: skip
        terminal = Terminal(language)
        app = App(settings, demo=True, engine=terminal)
        terminal.at_end = app.stop
        click.echo("Write something, or the number of a button. Ctrl-D ends it.")
        await app.serve()
