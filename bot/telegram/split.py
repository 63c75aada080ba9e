"""Cuts a long text into messages of at most 4096 characters; it must not lose or add a letter of a word."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST: Final = 4096
_BREAKS: Final = (re.compile(r"\n[^\S\n]*\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?؟。])\s+"))
_SPACE: Final = re.compile(r"\s+")
_JOINER: Final = "\u200d"
_OPENERS: Final = "\u2066\u2067\u2068"
_CLOSER: Final = "\u2069"
_DEPTH_MOST: Final = 8
_CLUSTER_MOST: Final = 64
"""Characters that a cut goes back at most to keep a cluster whole."""


def length(text: str) -> int:
    """The length as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "replace")) // 2


def split(text: str, most: int = MOST) -> list[str]:
    """The text in parts of at most `most` UTF-16 units, cut at a paragraph, else a line, a sentence, a word.

    A word (and so a link) is cut only when it alone is longer, and then never inside an emoji or a letter with its
    marks. Direction isolates that are open at a cut are closed there and opened again in the next part.
    """
    if len(text) * 2 <= most:
        return [text]
    parts = []
    while length(text) > most:
        part, text = _cut(text, most)
        if part.strip():
            parts.append(part)
    if text.strip() or not parts:
        parts.append(text)
    return parts


def _cut(text: str, most: int) -> tuple[str, str]:
    """The first part, and the rest."""
    reserve = 0
    for _ in range(_DEPTH_MOST):
        end = _end(text, most - reserve)
        part, rest = text[:end].rstrip(), text[end:].lstrip()
        still_open = _open_isolates(part) if end < len(text) and text[end] != "\n" else ""
        if not still_open or len(still_open) > _DEPTH_MOST:
            break
        if length(part) + len(still_open) <= most:
            return part + _CLOSER * len(still_open), still_open + rest
        reserve = len(still_open)
    return part, rest


def _end(text: str, most: int) -> int:
    """Where the first part ends: not at 0."""
    limit = _fitting(text, most)
    # One character more: what ends exactly at the limit may stand before a space.
    window = text[: limit + 1]
    for pattern in _BREAKS:
        found = [match.start() for match in pattern.finditer(window) if limit // 4 < match.start() <= limit]
        if found:
            return found[-1]
    found = [match.start() for match in _SPACE.finditer(window) if 0 < match.start() <= limit]
    if found and text[: found[-1]].strip(_OPENERS):
        return found[-1]
    return _whole(text, limit)


def _fitting(text: str, most: int) -> int:
    """How many characters of the text are at most so many UTF-16 units."""
    window = text[:most]
    while (over := length(window) - most) > 0:
        window = window[: -max(1, over // 2)]
    return len(window)


def _whole(text: str, limit: int) -> int:
    """The last place up to `limit` that is not inside a cluster of characters that are seen as one."""
    for end in range(limit, max(0, limit - _CLUSTER_MOST), -1):
        if not _inside(text, end):
            return end
    return max(1, limit)


def _inside(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if _JOINER in (before, after) or unicodedata.category(after).startswith("M"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f" or before + after == "\r\n":
        return True
    if not (_is_flag(before) and _is_flag(after)):
        return False
    start = at
    while start and _is_flag(text[start - 1]):
        start -= 1
    return (at - start) % 2 == 1


def _is_flag(character: str) -> bool:
    """Half of a flag: two of them are seen as one."""
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _open_isolates(part: str) -> str:
    """The isolates that are open at the end; the end of a line closes all of them."""
    stack: list[str] = []
    for character in part.rpartition("\n")[2]:
        if character in _OPENERS:
            stack.append(character)
        elif character == _CLOSER and stack:
            stack.pop()
    return "".join(stack)
