"""Cuts a long text into messages of at most 4096 characters; it must not lose or add a letter of a word."""

from __future__ import annotations

import re
from typing import Final

MOST: Final = 4096
_BREAKS: Final = (re.compile(r"\n\n+"), re.compile(r"\n"), re.compile(r"(?<=[.!?؟。]) +"), re.compile(r" +"))


def length(text: str) -> int:
    """The length as Telegram counts it: UTF-16 units."""
    return len(text.encode("utf-16-le", "replace")) // 2


def split(text: str, most: int = MOST) -> list[str]:
    """The text in parts of at most `most` UTF-16 units, cut at a paragraph, else a line, a sentence, a word."""
    parts = []
    while length(text) > most:
        end, start = _cut(text, most)
        parts.append(text[:end])
        text = text[start:]
    if text or not parts:
        parts.append(text)
    return parts


def _cut(text: str, most: int) -> tuple[int, int]:
    """Where the first part ends, and where the rest starts."""
    window = text[:most]
    while length(window) > most:
        window = window[:-1]
    for pattern in _BREAKS:
        found = [match for match in pattern.finditer(window) if match.start() > len(window) // 4]
        if found:
            return found[-1].start(), found[-1].end()
    return len(window), len(window)
