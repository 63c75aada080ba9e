"""Small values that the parts of understanding share; it must load no library (NumPy: off the first path)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

COURTESY_WORDS: Final = 3
"""A greeting that may stand before a question has at most this many words."""


@dataclass(frozen=True, slots=True)
class Foreign:
    """A language we do not have: its code, its own name, the pack language its readers may understand, and the fixed
    lines we say in it (one placeholder, {n112}).
    """

    code: str
    name: str
    near: str | None = None
    lines: str = ""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidence from which an answer is given (`sure`), and below which not even a choice is offered (`unsure`)."""

    sure: float
    unsure: float
