"""What is said, as values, and how a value becomes words in a language; it must not know who reads it.

A text is a key with its values: the key is an English message of the catalogs ("Choose your language"), or the
address of a piece of content ("topic:housing/title"). `render` gets one look-up from `app`.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

LookUp = Callable[[str, str], str]
"""(key, language) → the words, with {placeholders}; falls back to Dutch, then English, then the key."""

STAFF_PREFIX: Final = "staff:"
FIRST_STRONG_ISOLATE: Final = "\u2068"
POP_ISOLATE: Final = "\u2069"
RIGHT_TO_LEFT_MARK: Final = "\u200f"
RIGHT_TO_LEFT: Final = frozenset({"ar", "fa_AF", "ps"})

OWN_NAMES: Final[Mapping[str, str]] = {
    "nl": "Nederlands",
    "en": "English",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "pt": "Português",
    "sq": "Shqip",
    "tr": "Türkçe",
    "so": "Soomaali",
    "ku": "Kurmancî",
    "uk": "Українська",
    "ru": "Русский",
    "ar": "العربية",
    "fa_AF": "دری / فارسی",
    "ps": "پښتو",
    "ti": "ትግርኛ",
}
"""The languages in the order in which they are offered (by script), each in its own name and script."""


@dataclass(frozen=True, slots=True)
class Text:
    """A key with its values. A value is a str, an int, or itself sayable (a Text, a Day …)."""

    key: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, key: str, /, **values: Any) -> None:
        object.__setattr__(self, "key", key)
        object.__setattr__(self, "values", values)


def for_staff(key: str, /, **values: Any) -> Text:
    """A text that only staff read: English here, Dutch in the catalog "staff", in no other language."""
    return Text(f"{STAFF_PREFIX}{key}", **values)


@dataclass(frozen=True, slots=True)
class Said:
    """Words as they are, in no language of ours: somebody's own text, a Dutch sentence, a name."""

    words: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day, said as weekday, day, month name and DD/MM. ISO date."""

    date: str


@dataclass(frozen=True, slots=True)
class Hour:
    """A time of day, said in 24-hour digits with the part of the day. "HH:MM"."""

    time: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Several values in a row, between a separator (", " or a line break)."""

    parts: tuple[Any, ...]
    separator: str = ", "


Sayable = Text | Said | Day | Hour | Joined | str | int


def day_of(at: dt.datetime, zone: ZoneInfo) -> Day:
    """The local day of an instant."""
    return Day(at.astimezone(zone).date().isoformat())


def hour_of(at: dt.datetime, zone: ZoneInfo) -> Hour:
    """The local time of day of an instant."""
    return Hour(f"{at.astimezone(zone):%H:%M}")


def render(value: Sayable, language: str, look_up: LookUp) -> str:
    """The words of a value in a language, values wrapped in isolates, right-to-left paragraphs made to start so.

    A paragraph that is somebody's own words (Said) keeps the direction of its own letters: a Dutch answer in an
    Arabic chat runs from left to right.
    """
    match value:
        case Said():
            return value.words
        case Joined(parts=parts, separator="\n"):
            return "\n".join(render(part, language, look_up) for part in parts)
        case _:
            return set_direction(_words(value, language, look_up), language)


def _words(value: Sayable, language: str, look_up: LookUp) -> str:
    match value:
        case Text():
            template = look_up(value.key, language)
            values = {name: _value(part, language, look_up) for name, part in value.values.items()}
            return _fill(template, values)
        case Said():
            return value.words
        case Day():
            return say_day(dt.date.fromisoformat(value.date), language, look_up)
        case Hour():
            return say_hour(value.time, language, look_up)
        case Joined():
            separator = "، " if value.separator == ", " and language in RIGHT_TO_LEFT else value.separator
            return separator.join(_words(part, language, look_up) for part in value.parts)
        case _:
            return str(value)


def _value(value: Sayable, language: str, look_up: LookUp) -> str:
    words = _words(value, language, look_up)
    return f"{FIRST_STRONG_ISOLATE}{words}{POP_ISOLATE}" if words and "\n" not in words else words


_PLACEHOLDER: Final = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def _fill(template: str, values: Mapping[str, str]) -> str:
    """Placeholders replaced. A line whose value is empty falls away; an unknown placeholder stays, to be seen."""
    if "{" not in template:
        return template
    lines = template.split("\n")
    kept = [line for line in lines if all(values.get(name, name) for name in _PLACEHOLDER.findall(line))]
    if len(kept) < len(lines):
        template = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip("\n")
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)


def placeholders(template: str) -> frozenset[str]:
    """The names in {braces} in a text."""
    return frozenset(_PLACEHOLDER.findall(template))


def set_direction(text: str, language: str) -> str:
    """In a right-to-left language every paragraph starts with a right-to-left letter or U+200F."""
    if language not in RIGHT_TO_LEFT:
        return text
    return "\n".join(_right_to_left(line) for line in text.split("\n"))


def _right_to_left(line: str) -> str:
    if not line:
        return line
    starts_right = unicodedata.bidirectional(line[0]) in {"R", "AL"} or line[0] == RIGHT_TO_LEFT_MARK
    return line if starts_right else RIGHT_TO_LEFT_MARK + line


def plain(text: str) -> str:
    """Without isolates and direction marks: for files and comparisons."""
    return text.translate({0x2066: None, 0x2067: None, 0x2068: None, 0x2069: None, 0x200F: None, 0x200E: None})


def msgid(key: str) -> str:
    """Marks a message that is looked up elsewhere, for the extraction of the catalogs."""
    return key


_WEEKDAYS: Final = (
    msgid("Monday"), msgid("Tuesday"), msgid("Wednesday"), msgid("Thursday"), msgid("Friday"), msgid("Saturday"),
    msgid("Sunday"),
)  # fmt: skip
_MONTHS: Final = (
    msgid("January"), msgid("February"), msgid("March"), msgid("April"), msgid("May (month)"), msgid("June"),
    msgid("July"), msgid("August"), msgid("September"), msgid("October"), msgid("November"), msgid("December"),
)  # fmt: skip


def say_day(date: dt.date, language: str, look_up: LookUp) -> str:
    """Weekday, day, month name and digits: "Tuesday 24 November (24/11)"."""
    template = look_up(msgid("{weekday} {day} {month} ({digits})"), language)
    return _fill(
        template,
        {
            "weekday": look_up(_WEEKDAYS[date.weekday()], language),
            "day": str(date.day),
            "month": look_up(_MONTHS[date.month - 1], language),
            "digits": f"{FIRST_STRONG_ISOLATE}{date:%d/%m}{POP_ISOLATE}",
        },
    )


_PARTS: Final = (
    (6, msgid("at night")), (12, msgid("in the morning")), (18, msgid("in the afternoon")),
    (24, msgid("in the evening")),
)  # fmt: skip


def say_hour(time: str, language: str, look_up: LookUp) -> str:
    """24-hour digits with the part of the day: "09:00 in the morning"."""
    hour = int(time[:2])
    part = next(name for end, name in _PARTS if hour < end)
    digits = f"{FIRST_STRONG_ISOLATE}{time}{POP_ISOLATE}"
    return _fill(look_up(msgid("{time} {part}"), language), {"time": digits, "part": look_up(part, language)})


def pack(value: Any) -> Any:
    """A sayable as JSON-ready data (for the outbox); `unpack` is its inverse."""
    match value:
        case Text():
            return {"t": value.key, "v": {name: pack(part) for name, part in value.values.items()}}
        case Said():
            return {"s": value.words}
        case Day():
            return {"d": value.date}
        case Hour():
            return {"h": value.time}
        case Joined():
            return {"j": [pack(part) for part in value.parts], "sep": value.separator}
        case _:
            return value


def unpack(data: Any) -> Any:
    """The inverse of `pack`."""
    if not isinstance(data, dict):
        return data
    if "t" in data:
        return Text(data["t"], **{name: unpack(part) for name, part in data["v"].items()})
    if "s" in data:
        return Said(data["s"])
    if "d" in data:
        return Day(data["d"])
    if "h" in data:
        return Hour(data["h"])
    return Joined(tuple(unpack(part) for part in data["j"]), data["sep"])
