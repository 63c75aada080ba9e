"""Takes a message apart where it may begin to ask for something else; it does not know what anything means."""

from __future__ import annotations

import re
from typing import Final

_FEWEST: Final = 6  # words of a message that asks two things
_CLAUSE: Final = 2
_MOST: Final = 4
_BORDER: Final = re.compile(r"[.?!;:\n؟؛۔።፧፤¿]+|[,،፣](?=\s)")
_AND: Final = frozenset(
    {
        "en", "and", "et", "und", "y", "e", "dhe", "edhe", "ve", "iyo", "û", "i", "ta", "і", "та", "й", "и", "а", "و",
        "او", "وكمان", "همچنین", "also", "auch", "ook", "también", "також",
    }
)  # fmt: skip
"""What stands between two questions in our languages, as a word of its own."""


def clauses(text: str) -> list[str]:
    """Two to four parts of a message of six words or more; nothing when it is in one piece."""
    if len(text) > 600 or len(text.split()) < _FEWEST:  # noqa: PLR2004 (a pasted letter is about one thing)
        return []
    parts: list[str] = []
    for piece in _BORDER.split(text):
        current: list[str] = []
        for word in piece.split():
            if word.lower() in _AND and len(current) >= _CLAUSE:
                parts.append(" ".join(current))
                current = []
            else:
                current.append(word)
        if current:
            parts.append(" ".join(current))
    parts = [part for part in parts if len(part.split()) >= _CLAUSE]
    return parts[:_MOST] if len(parts) > 1 else []
