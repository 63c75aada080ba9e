"""Small values that the parts of understanding share; it must load no library (NumPy: off the first path)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


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


def mix(
    confidences: Mapping[str, Mapping[str, float]], language: str | Mapping[str, float] | None = None
) -> list[tuple[str, float]]:
    """Labels with their confidence over all languages, best first; see `Matcher.rank`."""
    table: dict[str, float] = {}
    if language is None:
        for own in confidences.values():
            for label, value in own.items():
                table[label] = max(table.get(label, 0.0), value)
    else:
        for code, share in ({language: 1.0} if isinstance(language, str) else language).items():
            for label, value in confidences.get(code, {}).items():
                table[label] = table.get(label, 0.0) + share * value
    return sorted(((label, min(1.0, value)) for label, value in table.items()), key=lambda row: -row[1])
