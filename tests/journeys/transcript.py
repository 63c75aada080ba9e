"""Plays a dialog from a text file against the whole town and writes down what was said; it must not judge it.

    # a remark                       town: Els admin, Bob   (the staff; also "nobody", "at 2030-01-05T10:00")
    Amina (ar) > a text              a new phone in this language the first time
    Amina ! a button                 its words, or its data        Amina ~ old words => new words
    Amina sends voice                photo, document, sticker, location, contact
    Els @1 > a text                  in the first topic that was made; without @ in General
    clock + 5h   clock until 2030-01-08T07:30   delete topic 1

What the bot says stands under it, and is written by the test itself (UPDATE_DIALOGS=1).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.client import Phone, plain
from tests.town import Town, town

_ACT = re.compile(r"(?P<name>\w+)(?: \((?P<lang>\w*)\))?(?: @(?P<topic>\d+))? (?P<verb>>|!|~|sends) ?(?P<what>.*)")
_CODE = re.compile(r"start=(j_\w+)")
_CLOCK = re.compile(r"clock \+ (\d+)(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_MEDIA = ("venue", "location", "document", "photo", "voice", "sticker", "contact")


@dataclass
class Stage:
    """The people of a dialog and what their screens showed last."""

    town: Town
    people: dict[str, Phone] = field(default_factory=dict)
    seen: dict[tuple[int, int], list[str]] = field(default_factory=dict)
    topics: list[int] = field(default_factory=list)
    keyboards: dict[int, list[str]] = field(default_factory=dict)
    code: str = "j_none"

    async def actor(self, name: str, language: str | None) -> Phone:
        """Who acts; a newcomer is made when first named."""
        if name not in self.people:
            self.people[name] = await self.town.client.newcomer(name, language or "")
        return self.people[name]

    async def changes(self) -> list[str]:
        """What is new, changed or gone on all screens since the last time."""
        state = await self.town.client.state()
        group = state["staff_chat"]
        lines: list[str] = []
        chats = [(phone.id, name) for name, phone in self.people.items() if not phone.group] + [(group, "staff")]
        for chat, name in chats:
            if str(chat) not in state["chats"]:
                continue
            messages = state["chats"][str(chat)]["messages"]
            topics = state["chats"][str(chat)].get("topics", {}) if chat == group else {}
            for thread, topic in topics.items():
                if int(thread) not in self.topics:
                    self.topics.append(int(thread))
                    lines += [f"staff @{len(self.topics)} = {topic['name']}"]
            found: set[int] = set()
            for message in sorted(messages, key=self._place):
                if message["from"]["id"] != self.town.world.state.bot_id or "forum_topic_created" in message:
                    continue
                found.add(message["message_id"])
                shown = self._shown(message)
                before = self.seen.get((chat, message["message_id"]))
                if before == shown or not shown:
                    continue
                self.seen[chat, message["message_id"]] = shown
                thread = int(message.get("message_thread_id") or 0)
                where = f"{name} @{self.topics.index(thread) + 1}" if thread in self.topics and chat == group else name
                lines += [f"{where} {'<' if before is None else '< (changed)'} {shown[0]}", *_indented(shown[1:])]
            markup = state["keyboards"].get(str(chat)) or {}
            keys = [plain(key["text"]) for row in markup.get("keyboard", []) for key in row]
            if keys != self.keyboards.get(chat, []):
                self.keyboards[chat] = keys
                lines += [f"{name} = keys below: {' · '.join(f'[{key}]' for key in keys) or 'none'}"]
            for place in [key for key in self.seen if key[0] == chat and key[1] not in found]:
                lines.append(f"{name} < (deleted) {self.seen.pop(place)[0]}")
        return lines

    def _place(self, message: dict[str, Any]) -> tuple[int, int]:
        """General first, then topic by topic: between two topics Telegram promises no order."""
        thread = int(message.get("message_thread_id") or 0)
        return (self.topics.index(thread) + 1 if thread in self.topics else 0), message["message_id"]

    def _shown(self, message: dict[str, Any]) -> list[str]:
        words = plain(message.get("text") or message.get("caption") or "")
        kind = next((one for one in _MEDIA if one in message), "")
        if kind == "venue":
            words = f"[venue] {plain(message['venue']['title'])}, {plain(message['venue']['address'])}"
        elif kind:
            words = f"[{kind}] {words}".strip()
        for code in _CODE.findall(words):
            self.code = code
        lines = _CODE.sub("start=CODE", words).split("\n")
        markup = message.get("reply_markup") or {}
        lines += [f"[{plain(key['text'])}]" for row in markup.get("inline_keyboard", []) for key in row]
        return lines if words or len(lines) > 1 else []


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def is_action(line: str) -> bool:
    """Whether a line is ours to play, not the bot's."""
    return bool(line.strip()) and not line.startswith(" ") and not re.match(r"\w+( @\d+)? [<=] ", line)


async def play(text: str, folder: Path) -> str:
    """Play the actions of a dialog; returns the whole dialog as it went. Raises AssertionError at a dead end."""
    actions = [line for line in text.splitlines() if is_action(line)]
    settings: dict[str, Any] = {}
    staff: list[str] = []
    said: list[str] = []
    stuck = ""
    while actions and (actions[0].startswith(("#", "town:"))):
        line = actions.pop(0)
        said.append(line)
        if line.startswith("town:"):
            for one in line.removeprefix("town:").split(","):
                if one.strip() == "nobody":
                    settings["staff"] = False
                elif one.strip().startswith("at "):
                    settings["at"] = one.strip()[3:] + "+01:00"
                else:
                    staff.append(one.strip())
    async with town(folder, **settings) as place:
        stage = Stage(place)
        for one in staff:
            name, _, rank = one.partition(" ")
            stage.people[name] = await place.client.staff(
                name, status="administrator" if rank else "member", anonymous=rank == "anonymous"
            )
        await place.settle()
        await stage.changes()
        for line in actions:
            if line.startswith("#"):
                said += ["", line]
                continue
            try:
                shown = await _act(stage, line)
                await place.settle()
            except AssertionError as error:
                stuck = f"{line}: {error}"
                break
            said += ["", shown, *await stage.changes()]
    assert not stuck, "\n".join([*said[-40:], stuck])
    return "\n".join(said).strip() + "\n"


async def _act(stage: Stage, line: str) -> str:
    if moved := _CLOCK.fullmatch(line):
        await stage.town.forward(**{_UNITS[moved[2]]: int(moved[1])})
        return line
    if line.startswith("clock until "):
        await stage.town.until(line.removeprefix("clock until "))
        return line
    if line.startswith("delete topic "):
        await stage.town.client.post(f"topics/{stage.topics[int(line[13:]) - 1]}/delete")
        return line
    act = _ACT.fullmatch(line)
    assert act, f"not understood: {line}"
    phone = await stage.actor(act["name"], act["lang"])
    thread = stage.topics[int(act["topic"]) - 1] if act["topic"] else 0
    where = {"thread": thread} if thread else {}
    what = act["what"]
    match act["verb"]:
        case ">":
            await phone.write(what.replace("CODE", stage.code), **where)
        case "sends":
            await phone.do(what, **where)
        case "~":
            old, _, new = what.partition(" => ")
            mine = [one for one in await phone.messages(thread) if one.own and old in one.text][-1]
            await phone.do("edit", message_id=mine.id, text=new)
        case "!":
            return f"{line.partition(' ! ')[0]} ! {await _tap(phone, thread, what)}"
    return line


async def _tap(phone: Phone, thread: int, what: str) -> str:
    """Tap the newest button with these words or this data; returns the words to write down."""
    messages = await phone.messages(thread)
    exact = [(one.id, key) for one in messages for key in one.buttons if what in key]
    near = [(one.id, key) for one in messages for key in one.buttons if what in key[0] or key[1].startswith(what)]
    offered = [key for one in messages[-3:] for key in one.buttons]
    assert exact or near, f"no button {what!r}; the last are {offered}"
    number, (label, data) = (exact or near)[-1]
    await phone.do("tap", message_id=number, data=data)
    same = [(one.id, key[1]) for one in messages for key in one.buttons if key[0] == label]
    return label if same[-1] == (number, data) else data
