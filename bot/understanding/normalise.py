"""Brings any text into one plain form that rules and the matcher can compare; it must never raise and never guess."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LIMIT = 4096
"""Telegram's longest text, in characters; what stands behind it is not looked at."""

_SPECIAL = {
    # Latin letters that have no decomposition
    "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "ł": "l", "þ": "th", "ħ": "h", "ŋ": "n",
    # Cyrillic
    "ґ": "г",
    # Arabic script: the shapes of one letter in Arabic, Persian, Kurdish, Pashto and Urdu keyboards
    "ٱ": "ا", "ى": "ي", "ی": "ي", "ې": "ي", "ۍ": "ي", "ے": "ي", "ێ": "ي", "ک": "ك", "ڪ": "ك", "ګ": "گ", "ة": "ه",
    "ہ": "ه", "ھ": "ه", "ە": "ه", "ۀ": "ه", "ۆ": "و", "ڕ": "ر", "ڵ": "ل", "ؤ": "و", "ئ": "ي", "ء": "", "ـ": "",
    # letters to Unicode, marks to people
    "ʼ": " ", "ʻ": " ", "ʹ": " ", "ª": " ", "º": " ",
    "ς": "σ",
}  # fmt: skip

_CYRILLIC_APOSTROPHE = re.compile("(?<=[\u0400-\u04ff])['’ʼ`´ʹ\u2018](?=[\u0400-\u04ff])")
_RUN = re.compile(r"([^\W\d_])\1{2,}")
_GAP = re.compile(r"\s{2,}")
_TABLE_LIMIT = 20_000


def _letter(char: str) -> str:
    """The plain form of one character: "" (invisible), " " (a border between words) or letters and digits."""
    kind = unicodedata.category(char)
    if kind == "Cf" or unicodedata.combining(char) or 0xFE00 <= ord(char) <= 0xFE0F or kind == "Me":  # noqa: PLR2004
        return ""
    if kind == "Nd":
        return str(unicodedata.decimal(char))
    if kind[0] not in "LNM":
        return " "
    return _SPECIAL.get(char, char)


def _plain(char: str) -> str:
    """The plain form of one character as it was typed: compatibility forms and accents are taken apart first."""
    text = char
    for _ in range(4):  # "İ" lower-cases to two characters, "Ⅳ" only lower-cases after it was taken apart
        parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).lower())
        after = "".join(_letter(part) for part in parts)
        if after == text:
            break
        text = after
    return text


class _Table(dict[int, str]):
    """Characters to plain forms, filled as they are met; it stops growing when somebody sends all of Unicode."""

    def __missing__(self, code: int) -> str:
        plain = _plain(chr(code))
        if len(self) < _TABLE_LIMIT:
            self[code] = plain
        return plain


_TABLE = _Table()


@lru_cache(maxsize=64)  # each part of understanding asks for the same text
def normalise(text: str) -> str:
    """`text` as plain words with one space between them: lower case, no accents, marks, emoji or invisible signs.

    Letters that only differ between keyboards become one, digits become 0–9. Idempotent; any text is allowed,
    also null bytes and lone surrogates; only the first 4096 characters count.
    """
    cut = unicodedata.normalize("NFC", text[:LIMIT])
    return " ".join(_CYRILLIC_APOSTROPHE.sub("", cut).translate(_TABLE).split())


def squeeze(text: str, keep: int = 1) -> str:
    """`text` with letters that stand three times or more in a row ("heeelp") written `keep` times; digits stay."""
    return _RUN.sub(lambda run: run[1] * keep, text)


PICTURES = tuple("🔥🔪🗡🔫💣🧨🪓🩸💉💊🪢💔⚰💀☠😱😰🆘🚨🚑👊🤰")
"""Pictures that people send instead of a word of danger; the others say little."""

WORDS_MOST = 400
"""Words of a text that are compared: a pasted letter says what it is about long before."""


@lru_cache(maxsize=64)  # each part of understanding asks for the same text
def plain_words(text: str) -> tuple[str, ...]:
    """The words of `text` as they are compared, at most 400; a word whose letters stand apart is one.

    Between such words there is more room than between their letters: "d i e  n o w".
    """
    found: list[str] = []
    parts = _GAP.split(text[:LIMIT])
    if all(len(part) <= 1 for part in parts):  # as much room between all letters
        parts = [" ".join(parts)]
    for part in parts:
        words = squeeze(normalise(part)).split()[:WORDS_MOST]
        for start, count, word in reversed(joined(words)):
            words[start : start + count] = [word]
        found += words
    return tuple(found[:WORDS_MOST])


def pictures_in(text: str) -> list[str]:
    """The `PICTURES` that stand in a text, each once."""
    return [] if text.isascii() else [picture for picture in PICTURES if picture in text]


def joined(words: list[str]) -> list[tuple[int, int, str]]:
    """Runs of three or more words of one letter ("d i e", "k.i.l.l"): first word, number of words, joined word."""
    runs = []
    start = 0
    for index in range(len(words) + 1):
        if index < len(words) and len(words[index]) == 1 and not words[index].isdigit():
            continue
        if index - start >= 3:  # noqa: PLR2004
            runs.append((start, index - start, "".join(words[start:index])))
        start = index + 1
    return runs
