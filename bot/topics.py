"""The pack of a city and what it can answer: topics, contacts, cards, ready sentences; it must not talk to anybody.

The pack is read once from YAML and checked; local values that staff set lie in the table `local_value`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
import yaml

from bot.language import placeholders
from bot.storage import hot, notes, tables, transaction

INTENTS: Final = (
    "human", "case-status", "complaint", "capabilities", "change-language", "privacy", "erase", "stop-messages",
    "sign-up", "my-sessions", "cancel-session", "late", "smalltalk",
)  # fmt: skip
DANGERS: Final = ("emergency", "suicide", "child", "violence", "threat")
READY: Final = (
    "read", "which_day", "come_to", "bring_paper", "send_number", "yes", "no", "ask_colleague", "ask_lawyer",
    "safe_to_write", "cannot_help", "place_booked", "did_this_help", "we_close",
)  # fmt: skip
TITLE_MOST: Final = 40
ANSWER_MOST: Final = 600
_CARD_FIELDS: Final = ("first", "then")
_COMMON_FIELDS: Final = ("neutral", "how_to_call", "say_this", "machine", "more_title", "in_dutch")


class PackError(Exception):
    """The pack cannot be used; the message names the file and what was expected."""


@dataclass(frozen=True, slots=True)
class Topic:
    """Something the bot can answer about. `related` are topic ids, `contacts` names of local values."""

    id: str
    group: str
    emoji: str
    seed: bool
    discreet: bool
    confirm: bool
    urgent_case: bool
    source: str
    checked: dt.date
    contacts: tuple[str, ...]
    related: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LocalValue:
    """A value that stands once: its name, what it is (Dutch), and what the pack says (may be empty)."""

    name: str
    what: str
    value: str


@dataclass(frozen=True, slots=True)
class Pack:
    """All content of one city. `words` maps a key such as "topic:housing/title" to {language: words}."""

    folder: Path
    city: str
    zone: ZoneInfo
    source_language: str
    languages: tuple[str, ...]
    help_sentence: str
    groups: Mapping[str, tuple[str, ...]]
    group_emoji: Mapping[str, str]
    topics: Mapping[str, Topic]
    values: Mapping[str, LocalValue]
    words: Mapping[str, Mapping[str, str]]
    examples: Mapping[str, Mapping[str, tuple[str, ...]]]
    programmes: Mapping[str, Mapping[str, Any]]
    protocol: Mapping[str, Mapping[str, Any]]
    status: Mapping[str, Mapping[str, str]]  # {file: {status, reviewer}}
    digest: str
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # {language: {Dutch name: its explanation}}
    # by topic id, "cards" or "ready":
    prints: Mapping[str, str] = field(default_factory=dict)  # a short hash of the Dutch text
    made_from: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # {language: {…: print it was made from}}
    also_fits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # prints whose translations still hold

    @property
    def own_values(self) -> Mapping[str, str]:
        """The named values as the pack has them."""
        return {value.name: value.value for value in self.values.values()}

    def look_up(self, key: str, language: str) -> str | None:
        """The words of a key of the pack in a language, else in Dutch; None for a key that is no content."""
        words = self.words.get(key)
        return None if words is None else words.get(language) or words.get(self.source_language, "")


def load(folder: Path) -> Pack:
    """Read a pack. Raises PackError with every fault found, one per line."""
    faults: list[str] = []
    frame = _read(folder / "pack.yaml")
    languages = tuple(frame.get("languages", ()))
    if not languages:
        msg = f"{folder / 'pack.yaml'}: no languages; expected a list such as [nl, en]"
        raise PackError(msg)
    groups = {name: tuple(group["topics"]) for name, group in frame.get("groups", {}).items()}
    topics = _topics(frame, groups, faults)
    words: dict[str, dict[str, str]] = {}
    examples: dict[str, dict[str, tuple[str, ...]]] = {}
    status: dict[str, dict[str, str]] = {}
    made_from: dict[str, dict[str, str]] = {}
    also_fits: dict[str, tuple[str, ...]] = {}
    for language in languages:
        for name in (f"{language}.yaml", f"cards.{language}.yaml", f"ready.{language}.yaml"):
            data = _read(folder / name)
            status[name] = {"status": data.get("status", ""), "reviewer": data.get("reviewer") or ""}
            _gather(data, language, words)
            _origins(data, name, made_from.setdefault(language, {}), also_fits)
            if name == f"{language}.yaml":
                examples[language] = _examples(data, topics)
                faults += _missing(data, topics, folder / name)
    values = {name: LocalValue(name, v["what"], str(v["value"] or "")) for name, v in frame["values"].items()}
    known = {*values, *_READY_VALUES}
    for key, by_language in words.items():
        faults += [
            f"{folder}: {key} in {language} has the placeholder {{{name}}}, which is not a value of pack.yaml"
            for language, text in by_language.items()
            for name in sorted(placeholders(text) - known)
        ]
    if faults:
        raise PackError("\n".join(faults))
    return Pack(
        folder=folder, city=frame["city"], zone=ZoneInfo(frame["timezone"]), source_language=frame["source_language"],
        languages=languages, help_sentence=frame["dutch_help_sentence"], groups=groups,
        group_emoji={name: group.get("emoji", "") for name, group in frame["groups"].items()},
        topics=topics, values=values, words=words, examples=examples,
        programmes=_read(folder / "programmes.yaml").get("programmes", {}),
        protocol=_read(folder / "protocol.yaml").get("kinds", {}), status=status, digest=digest(folder),
        names={code: _read(path) for code in languages if (path := folder / f"names.{code}.yaml").exists()},
        prints=_prints(words, frame["source_language"]), made_from=made_from, also_fits=also_fits,
    )  # fmt: skip


_READY_VALUES: Final = frozenset({"place", "date", "time", "paper", "organisation"})


def digest(folder: Path) -> str:
    """A hash of the pack's files: the same for the same content."""
    total = hashlib.sha256()
    for path in sorted(folder.glob("*.yaml")):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def _read(path: Path) -> dict[str, Any]:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)  # noqa: S506 (a safe loader, in C where there is one)
    except FileNotFoundError:
        raise PackError(f"{path}: is missing") from None
    except yaml.YAMLError as error:
        raise PackError(f"{path}: is not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise PackError(f"{path}: expected a mapping at the top")
    return data


_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _topics(frame: Mapping[str, Any], groups: Mapping[str, tuple[str, ...]], faults: list[str]) -> dict[str, Topic]:
    group_of = {topic: group for group, topics in groups.items() for topic in topics}
    topics: dict[str, Topic] = {}
    for name, entry in frame.get("topics", {}).items():
        if name not in group_of:
            faults.append(f"pack.yaml: topic {name} stands in no group")
            continue
        topics[name] = Topic(
            id=name, group=group_of[name], emoji=entry.get("emoji", "•"), seed=entry.get("seed", False),
            discreet=entry.get("discreet", False), confirm=entry.get("confirm", False),
            urgent_case=entry.get("urgent_case", False), source=entry["source"]["name"], checked=entry["checked"],
            contacts=tuple(entry.get("contacts") or ()), related=tuple(entry.get("related") or ()),
        )  # fmt: skip
    faults += [
        f"pack.yaml: group topic {name} is not described under topics" for name in group_of if name not in topics
    ]
    faults += [
        f"pack.yaml: topic {topic.id} is related to {other}, which is not a topic"
        for topic in topics.values()
        for other in topic.related
        if other not in topics
    ]
    return {name: topics[name] for name in group_of if name in topics}


def _gather(data: Mapping[str, Any], language: str, words: dict[str, dict[str, str]]) -> None:
    def put(key: str, text: str) -> None:
        words.setdefault(key, {})[language] = text.strip()

    for topic, entry in data.get("topics", {}).items():
        put(f"topic:{topic}/title", entry["title"])
        put(f"topic:{topic}/answer", entry["answer"])
    for name in _COMMON_FIELDS:
        if name in data.get("common", {}):
            put(f"card:{name}", data["common"][name])
    for kind, entry in data.get("cards", {}).items():
        for name in _CARD_FIELDS:
            put(f"card:{kind}/{name}", entry.get(name) or "")
    for kind, lines in data.get("more", {}).items():
        put(f"card:{kind}/more", "\n".join(lines or ()))
    for name, sentence in data.get("sentences", {}).items():
        put(f"ready:{name}", sentence)


def _origins(
    data: Mapping[str, Any], file: str, made_from: dict[str, str], also_fits: dict[str, tuple[str, ...]]
) -> None:
    part = file.split(".", 1)[0]
    entries = {part: data} if part in _WHOLE else data.get("topics", {})
    for name, entry in entries.items():
        if origin := entry.get("made_from"):
            made_from[name] = str(origin)
        if earlier := entry.get("also_fits"):
            also_fits[name] = tuple(map(str, earlier))


_WHOLE: Final = {"cards": "card:", "ready": "ready:"}


def _prints(words: Mapping[str, Mapping[str, str]], source: str) -> dict[str, str]:
    parts: dict[str, list[str]] = {}
    for key in sorted(words):
        kind = next((name for name, begin in _WHOLE.items() if key.startswith(begin)), "")
        parts.setdefault(kind or key.removeprefix("topic:").partition("/")[0], []).append(words[key].get(source, ""))
    return {name: hashlib.sha256("\0".join(texts).encode()).hexdigest()[:8] for name, texts in parts.items()}


def _examples(data: Mapping[str, Any], topics: Mapping[str, Topic]) -> dict[str, tuple[str, ...]]:
    entries = {**{t: e for t, e in data.get("topics", {}).items() if t in topics}, **data.get("intents", {})}
    return {label: tuple(str(example) for example in entry.get("examples") or ()) for label, entry in entries.items()}


def _missing(data: Mapping[str, Any], topics: Mapping[str, Topic], path: Path) -> list[str]:
    have = data.get("topics", {})
    faults = [f"{path}: topic {name} is missing" for name in topics if name not in have]
    for name, entry in have.items():
        faults += [f"{path}: topic {name} has no {field}" for field in ("title", "answer") if not entry.get(field)]
    return faults


# --- local values -------------------------------------------------------------------------------------------------


_CHANGED: Final = "local values"
_VALUES: Final = hot.Sql("SELECT name, value FROM local_value ORDER BY id")


def local_values(db: sa.Connection, pack: Pack) -> Mapping[str, str]:
    """Every named value, as staff last set it or as the pack says; "" where the city has not filled it in."""
    def read(db: sa.Connection) -> Mapping[str, str]:
        own = pack.own_values
        return {**own, **{name: value for name, value in _VALUES.rows(db) if name in own}}

    return transaction.once(db, _CHANGED, read)


def set_value(db: sa.Connection, name: str, value: str, *, by: str | None, now: dt.datetime) -> None:
    """Set a local value; the old one stays in the table with who and when."""
    db.execute(sa.insert(tables.local_value).values(name=name, value=value, set_by=by, set_at=now))
    transaction.forget(db, _CHANGED)


def value_history(db: sa.Connection, name: str) -> list[tuple[str, str | None, dt.datetime]]:
    """What a value was, newest first: (value, person id, when)."""
    rows = db.execute(
        sa.select(tables.local_value).where(tables.local_value.c.name == name).order_by(tables.local_value.c.id.desc())
    )
    return [(row.value, row.set_by, row.set_at) for row in rows]


_PAUSED: Final = "paused"


def is_paused(db: sa.Connection) -> bool:
    """Whether staff told the bot to stop answering."""
    return transaction.once(db, _PAUSED, lambda db: notes.get(db, _PAUSED)) == "yes"


def set_paused(db: sa.Connection, paused: bool) -> bool:  # noqa: FBT001 (its only argument)
    """Stop answering, or go on; returns which."""
    notes.put(db, _PAUSED, "yes" if paused else "no")
    transaction.forget(db, _PAUSED)
    return paused
