"""What the languages of one script were taught, and how a text is scored by it, in NumPy; it cannot learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.pieces import (
    BEGINNINGS,
    LETTERS,
    NEIGHBOURS,
    SHARES,
    WORDS,
    between,
    letters_of,
    word_number,
)

Array = NDArray[Any]

SIGNS = 5
"""How many signs confidence is read from, see `signs`."""

_REMEMBERED = 4096  # words: people use the same ones again and again
_SHARES = SHARES.tolist()


@dataclass(frozen=True, slots=True)
class Model:
    """What the languages of one script were taught, as arrays that can be kept in a file.

    `keys` (n, uint32, rising): numbers of pieces. `rarity` (n, float16): idf. How much a piece speaks for a label: from
    `starts[i]` to `starts[i + 1]` the labels that it says something about (`columns`, uint8) and what it says
    (`values`, int8, times `scale[i]`, float32). `bias` (labels). `strange` (4): the rarity of an unknown piece of each
    part.
    """

    keys: Array
    rarity: Array
    starts: Array
    columns: Array
    values: Array
    scale: Array
    bias: Array
    strange: Array

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(int(getattr(self, field.name).nbytes) for field in fields(self))

    def find(self, numbers: Array) -> tuple[Array, Array]:
        """The row of each piece, and whether there is one (the row of an unknown piece means nothing)."""
        at = self.keys.searchsorted(numbers)
        if not len(self.keys):
            return at, np.zeros(len(at), dtype=bool)
        at[at == len(self.keys)] = 0
        return at, self.keys[at] == numbers

    def vector(self, numbers: Array, parts: Array) -> tuple[Array, Array]:
        """Rows of the table that a text has, and the weight of each: a vector of length ≤ 1. A row may come twice."""
        at, known = self.find(numbers)
        weights = np.where(known, self.rarity[at], self.strange[parts])
        length = np.sqrt(np.bincount(parts, weights * weights, minlength=len(SHARES)).clip(1e-12))
        return at[known], (weights * (SHARES / length)[parts])[known]

    def said(self, rows: Array, weights: Array) -> Array:
        """What pieces say about each label (labels)."""
        starts = self.starts[rows].astype(np.intp)
        sizes = self.starts[rows + 1].astype(np.intp) - starts
        ends = sizes.cumsum()
        at = np.arange(ends[-1] if len(ends) else 0) + (starts - ends + sizes).repeat(sizes)
        said = self.values[at] * (weights * self.scale[rows]).repeat(sizes)
        return np.bincount(self.columns[at], said, minlength=len(self.bias))


@dataclass(frozen=True, slots=True)
class _Heard:
    """What pieces of one part say about each label, the square of their weight, and of what of it is known."""

    said: Array
    square: float
    there: float


class Scorer:
    """Scores texts by a model. What a word says is remembered: people use the same ones again and again."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._strange = [float(rarity) ** 2 for rarity in model.strange]
        self._word = lru_cache(maxsize=_REMEMBERED)(self._read_word)

    def scores(self, words: Sequence[str]) -> tuple[Array, tuple[float, float]]:
        """Score per label, and what is known of the text: the share of its words and of its letters, 0–1 each."""
        if not words:
            return self.model.bias.copy(), (0.0, 0.0)
        own = [self._word(word) for word in words]
        of_words, of_letters = sum([one.square for one, _ in own]), sum([one.square for _, one in own])
        known = (sum([one.there for one, _ in own]) / of_words, sum([one.there for _, one in own]) / of_letters)
        word, letter = _SHARES[WORDS] / of_words**0.5, _SHARES[LETTERS] / of_letters**0.5
        weights = np.array([word, letter] * len(own), dtype=np.float32)
        scores = weights @ np.array([heard.said for pair in own for heard in pair])
        scores += self.model.bias
        self._add_pairs(scores, *between(words))
        return scores, known

    def _add_pairs(self, scores: Array, beside: list[int], near: list[int]) -> None:
        """Most pairs are met once in a lifetime: they are looked up together, and not remembered."""
        rows, known = self.model.find(np.array(beside + near, dtype=np.uint32))
        if not known.any():
            return
        rarity = self.model.rarity[rows[known]].astype(np.float32)
        first = int(known[: len(beside)].sum())
        of_beside = float(rarity[:first] @ rarity[:first]) + (len(beside) - first) * self._strange[NEIGHBOURS]
        of_near = float(rarity[first:] @ rarity[first:]) + (len(near) - len(rarity) + first) * self._strange[BEGINNINGS]
        rarity[:first] *= _SHARES[NEIGHBOURS] / of_beside**0.5
        if near:
            rarity[first:] *= _SHARES[BEGINNINGS] / of_near**0.5
        scores += self.model.said(rows[known], rarity)

    def _read_word(self, word: str) -> tuple[_Heard, _Heard]:
        """What a word says, and what its letters say. Read it through `_word`."""
        return self._read([word_number(word)], WORDS), self._read(letters_of(word), LETTERS)

    def _read(self, numbers: list[int], part: int) -> _Heard:
        rows, known = self.model.find(np.array(numbers, dtype=np.uint32))
        rows = rows[known]
        rarity = self.model.rarity[rows].astype(np.float32)
        there = float(rarity @ rarity)
        said = self.model.said(rows, rarity).astype(np.float32)
        return _Heard(said, there + (len(numbers) - len(rows)) * self._strange[part], there)


def signs(scores: Array, known: Sequence[float] | Array) -> Array:
    """What the confidence of each label is read from (labels × `SIGNS`).

    1, its score, its lead on the best other, the known shares of words and of letters. Energy and length added
    nothing to these (AUROC on CLINC150).
    """
    count = len(scores)
    best = int(scores.argmax())
    lead = scores - scores[best]
    lead[best] = scores[best] - (np.partition(scores, -2)[-2] if count > 1 else -1.0)
    table = np.empty((count, SIGNS), dtype=np.float32)
    table[:, 0] = 1
    table[:, 1] = scores
    table[:, 2] = lead
    table[:, 3:] = known
    return table


ALARM_SIGNS = 5
"""How many signs an alarm is read from, see `alarm_signs`."""


def alarm_signs(scores: Array, topics: int, *, ruled: bool) -> tuple[float, ...]:
    """What tells of danger: 1, danger of any kind, its likeliest kind, how much it is about a topic, the word rules.

    `scores`: of all columns, `topics` of labels first, then of kinds of danger, danger of any kind last.
    """
    return 1.0, float(scores[-1]), float(scores[topics:-1].max()), float(scores[:topics].max()), float(ruled)


def confidence(table: Array, weights: Array) -> Array:
    """Confidence per label, 0–1, from its signs."""
    result: Array = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
    return result


def chances(scores: Array, known: Sequence[float], weights: Array) -> Array:
    """The confidence of each label as `signs` and `confidence` have it, without making the table."""
    start, own, lead, *rest = weights.tolist()
    best = int(scores.argmax())
    first = float(scores[best])
    start += sum(share * weight for share, weight in zip(known, rest, strict=True))
    logits = scores * (own + lead) + (start - lead * first)
    second = float(np.partition(scores, -2)[-2]) if len(scores) > 1 else -1.0
    logits[best] = own * first + lead * (first - second) + start
    result: Array = 1 / (1 + np.exp(-np.clip(logits, -30, 30, out=logits)))
    return result
