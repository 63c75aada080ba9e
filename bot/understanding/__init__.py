"""What a text is about, in which language, and whether it tells of danger; it knows no city, database or clock."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.understanding.danger import KINDS, Danger, Found, Kind
from bot.understanding.normalise import normalise, squeeze
from bot.understanding.values import Foreign, Thresholds, mix

__all__ = ["KINDS", "Decision", "Foreign", "Found", "Kind", "Look", "Understanding", "normalise"]

Action = Literal["answer", "choose", "unknown", "foreign", "intent"]

COURTESY = "smalltalk"
"""The intent whose short examples ("hello", "thank you") may stand before or behind a question."""

_HOME = 6.0  # how much likelier the chosen language is than the others, before the text is read
_CERTAIN = 0.85  # from here a text is in another language than the chosen one
_WITNESSES = 4  # fewer letters say nothing about the language of a text
_COURTESY_WORDS = 3
_CHOICES = 3
_NEGLIGIBLE = 1e-6  # a language this unlikely adds less to a confidence than can be seen


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a text.

    `answer`: the topic `label` · `intent`: the intent `label` · `choose`: one of `choices` (1–3 topics) ·
    `unknown`: nothing fits · `foreign`: a language we do not have (when it is near one of ours, `label` and
    `choices` may still hold what it is about). `language` is one of the pack's; `confidence` 0–1.
    """

    action: Action
    language: str
    label: str | None
    confidence: float
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Reading:
    """What the matcher said about a text: confidence per language and label, and the limits it was trained to."""

    confidences: Mapping[str, Mapping[str, float]]
    thresholds: Mapping[str, Thresholds]
    intents: frozenset[str]
    letters: int


@dataclass(frozen=True, slots=True)
class Look:
    """All that a text says without knowing who sent it.

    `dangers`: kinds, the most urgent first. `languages`: the pack's, with probability, the likeliest first.
    """

    text: str
    dangers: tuple[Kind, ...]
    foreign: Foreign | None
    languages: tuple[tuple[str, float], ...]
    _reading: _Reading = field(repr=False, compare=False)

    def decide(self, chosen: str | None) -> Decision:
        """What to do with the text of somebody who chose the language `chosen` (None: none yet, or not ours)."""
        shares = self._shares(chosen)
        language = self._language(chosen, shares)
        if self._reading.letters == 0:
            return Decision("unknown", language, None, 0.0)
        decision = self._choose(language, shares)
        if self.foreign is None:
            return decision
        if self.foreign.near is None or decision.action not in ("answer", "choose"):
            return Decision("foreign", language, None, decision.confidence)
        return Decision("foreign", language, decision.label, decision.confidence, decision.choices)

    def _shares(self, chosen: str | None) -> dict[str, float]:
        weights = {code: chance * (_HOME if code == chosen else 1.0) for code, chance in self.languages}
        total = sum(weights.values())
        return {code: weight / total for code, weight in weights.items()}

    def _language(self, chosen: str | None, shares: Mapping[str, float]) -> str:
        """The language of the text; the chosen one unless the text clearly is in another."""
        best = max(shares, key=lambda code: shares[code])
        if chosen not in shares or chosen is None:
            return self.foreign.near if self.foreign and self.foreign.near else best
        if self.foreign is not None or self._reading.letters < _WITNESSES:
            return chosen
        return best if shares[best] >= _CERTAIN else chosen

    def _choose(self, language: str, shares: Mapping[str, float]) -> Decision:
        ranked = mix(self._reading.confidences, shares)
        limits, intents = self._reading.thresholds[language], self._reading.intents
        if not ranked or ranked[0][1] < limits.unsure:
            return Decision("unknown", language, None, ranked[0][1] if ranked else 0.0)
        label, confidence = ranked[0]
        if confidence >= limits.sure:
            return Decision("intent" if label in intents else "answer", language, label, confidence)
        if label in intents and confidence >= (limits.sure + limits.unsure) / 2:
            return Decision("intent", language, label, confidence)
        choices = tuple(name for name, _ in ranked[: _CHOICES + 2] if name not in intents)[:_CHOICES]
        return Decision("choose", language, choices[0] if choices else None, confidence, choices)


class Understanding:
    """Reads texts. Built once from a pack's examples; afterwards only read, so any number of threads may look."""

    def __init__(
        self,
        examples: Mapping[str, Mapping[str, Sequence[str]]],
        *,
        intents: Collection[str],
        cache: Path | None = None,
    ) -> None:
        """`examples`: language → label → texts. `intents`: the labels that are no topics.

        `cache`: a folder for trained models; the next start is quicker. Raises ValueError without examples.
        """
        from bot.understanding.languages import Languages  # NumPy: a tenth of a second, off the path of the first poll
        from bot.understanding.matcher import Matcher

        rows = [(text, label, code) for code, own in examples.items() for label, texts in own.items() for text in texts]
        if not rows:
            raise ValueError("no examples to learn from")
        self._intents = frozenset(intents)
        self.matcher = Matcher(cache).fit(*zip(*rows, strict=True))
        codes = self.matcher.languages
        self.languages = Languages({code: [row[0] for row in rows if row[2] == code] for code in codes})
        self.danger = Danger.read(known={word for row in rows for word in normalise(row[0]).split()})
        self._thresholds = {code: self.matcher.thresholds(code) for code in codes}
        self._courtesies = frozenset(
            tuple(words)
            for text, label, _ in rows
            if label == COURTESY and len(words := squeeze(normalise(text)).split()) <= _COURTESY_WORDS
        )

    def look(self, text: str) -> Look:
        """Read a text of any kind. Never raises; about a millisecond; to be called before a transaction is opened."""
        question = self._without_courtesy(text)
        languages = self.languages.guess(text)
        likely = {code for code, chance in languages if chance >= _NEGLIGIBLE}
        return Look(
            text=text,
            dangers=tuple(found.kind for found in self.danger.look(text)),
            foreign=self.languages.foreign(text),
            languages=languages,
            _reading=_Reading(
                confidences=self.matcher.confidences(question, likely),
                thresholds=self._thresholds,
                intents=self._intents,
                letters=sum(map(str.isalpha, question)),
            ),
        )

    def foreign_lines(self, code: str) -> str:
        """The fixed lines for a `Foreign.code`, in that language; one placeholder, {n112}."""
        return self.languages.lines(code)

    def _without_courtesy(self, text: str) -> str:
        """The plain words of `text` without a greeting before or thanks behind it, if at least two words remain."""
        words = tuple(squeeze(normalise(text)).split())
        for _ in range(3):
            before = len(words)
            for size in range(_COURTESY_WORDS, 0, -1):
                if len(words) - size > 1:
                    if words[:size] in self._courtesies:
                        words = words[size:]
                    elif words[-size:] in self._courtesies:
                        words = words[:-size]
            if len(words) == before:
                break
        return " ".join(words)
