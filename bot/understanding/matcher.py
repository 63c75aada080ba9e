"""Matches a question with topics and intents by example, in NumPy; it knows labels and texts, never what they mean.

Per language: TF-IDF of words (1–2) and of letters within words (2–5), then kernel ridge regression against the
examples. Leaving one example out has a closed form there, so confidence and thresholds are set on every example
as if it had never been seen.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.understanding.normalise import normalise, squeeze
from bot.understanding.values import Thresholds, mix

_VERSION = 2  # of what a cache file means: raise it with every change of features or training
_WORDS_SHARE = 0.4
_RIDGE = 0.3
_SURE_PRECISION = 0.92
_KEPT = 0.92  # share of questions of which the right topic is among the best three that must not end as "unknown"
_NGRAMS = range(2, 6)

Array = NDArray[Any]


def features(text: str) -> tuple[Counter[str], Counter[str]]:
    """How often each word and pair of words, and each piece of a word, stands in `text`."""
    words = squeeze(normalise(text)).split()
    whole = Counter(words)
    whole.update(map(" ".join, pairwise(words)))
    pieces: list[str] = []
    for word in words:
        padded = f" {word} "
        for size in _NGRAMS:
            if size >= len(padded):
                pieces.append(padded)
                break
            pieces += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    return whole, Counter(pieces)


@dataclass(frozen=True, slots=True)
class Report:
    """What leaving one out said about a language: right label, and (n × labels) confidence of each label."""

    labels: tuple[str, ...]
    right: Array
    confidence: Array


@dataclass(frozen=True, slots=True)
class _Model:
    """One language, as arrays only, so that it can be kept in a file.

    `words`, `pieces`: features, newline-separated, in the order of the rows of `table` (features × labels), which says
    how much a feature speaks for a label: the regression's weights of the examples that have it, summed up. `rarity`:
    idf per feature, the last value is that of an unknown one; `bias` (labels); `calibration` three numbers; `limits`
    the thresholds (sure, unsure).
    """

    words: Array
    pieces: Array
    table: Array
    rarity: Array
    bias: Array
    calibration: Array
    limits: Array
    right: Array
    left_out: Array


class _Language:
    """A model with its dictionaries, ready to score."""

    def __init__(self, model: _Model) -> None:
        self.model = model
        words, pieces = str(model.words).split("\n"), str(model.pieces).split("\n")
        self._words = dict(zip(words, range(len(words)), strict=True))
        self._pieces = dict(zip(pieces, range(len(words), len(words) + len(pieces)), strict=True))
        self.thresholds = Thresholds(*model.limits.tolist())

    def confidence(self, whole: Mapping[str, int], pieces: Mapping[str, int]) -> Array:
        """Confidence per label, 0–1."""
        scores = self.model.bias.copy()
        for counts, numbers, share in ((whole, self._words, _WORDS_SHARE), (pieces, self._pieces, 1 - _WORDS_SHARE)):
            if not counts:
                continue
            rows = np.array([numbers.get(feature, -1) for feature in counts])
            weights = (1 + np.log(np.fromiter(counts.values(), np.float64, len(counts)))) * self.model.rarity[rows]
            scale = math.sqrt(share / float(weights @ weights))
            known = rows >= 0
            scores += (weights[known] * scale) @ self.model.table[rows[known]]
        return _calibrated_one(scores, self.model.calibration)


def _calibrated_one(scores: Array, calibration: Array) -> Array:
    """The same as `calibrated` for one row of scores, without sorting it."""
    if len(scores) == 1:
        return calibrated(scores, calibration)
    first = int(scores.argmax())
    best = scores[first]
    lead = scores - best
    scores[first], own = -np.inf, best
    lead[first] = best - scores.max()
    scores[first] = own
    return np.asarray(1 / (1 + np.exp(-(calibration[0] + calibration[1] * scores + calibration[2] * lead))))


def calibrated(scores: Array, calibration: Array) -> Array:
    """Scores (… × labels) as confidence: how a score stands alone, and against the best of the others."""
    if scores.shape[-1] == 1:
        lead = scores
    else:
        best = np.sort(scores, axis=-1)[..., -2:]
        lead = scores - np.where(scores == best[..., 1:], best[..., :1], best[..., 1:])
    return np.asarray(1 / (1 + np.exp(-(calibration[0] + calibration[1] * scores + calibration[2] * lead))))


def _index(counts: Sequence[Mapping[str, int]], share: float) -> tuple[list[str], list[Array], list[Array], Array]:
    """Features of the texts, sorted by first sight: per feature its texts and weights, and its rarity."""
    homes: dict[str, tuple[list[int], list[int]]] = {}
    for text, count in enumerate(counts):
        for feature, times in count.items():
            home = homes.setdefault(feature, ([], []))
            home[0].append(text)
            home[1].append(times)
    spread = np.array([len(texts) for texts, _ in homes.values()])
    rarity = np.append(np.log((1 + len(counts)) / (1 + spread)) + 1, math.log(1 + len(counts)) + 1)
    flat = np.array([text for texts, _ in homes.values() for text in texts], dtype=np.int32)
    times_flat = np.array([n for _, times in homes.values() for n in times], dtype=np.float64)
    weight = (1 + np.log(times_flat)) * np.repeat(rarity[:-1], spread)
    square = np.bincount(flat, weight * weight, minlength=len(counts))
    weight *= np.sqrt(share / np.maximum(square, 1e-12))[flat]
    cuts = np.cumsum(spread)[:-1]
    return list(homes), np.split(flat, cuts), np.split(weight.astype(np.float32), cuts), rarity


def _gram(texts: Sequence[Array], weights: Sequence[Array], size: int) -> Array:
    """Similarity of every text with every other (size × size), from the features' rows."""
    often = [row for row, where in enumerate(texts) if len(where) > 8]  # noqa: PLR2004
    dense = np.zeros((size, len(often)), dtype=np.float32)
    for column, row in enumerate(often):
        dense[texts[row], column] = weights[row]
    gram = (dense @ dense.T).astype(np.float64)
    flat = gram.reshape(-1)
    for spread in range(1, 9):
        rows = [row for row, where in enumerate(texts) if len(where) == spread]
        if rows:
            where = np.array([texts[row] for row in rows], dtype=np.int64)
            weight = np.array([weights[row] for row in rows], dtype=np.float64)
            pairs = (where[:, :, None] * size + where[:, None, :]).reshape(-1)
            flat += np.bincount(pairs, (weight[:, :, None] * weight[:, None, :]).reshape(-1), minlength=size * size)
    return gram


def _calibrate(left_out: Array, right: Array) -> Array:
    """Three numbers that make a score a probability, from the scores of examples that were left out.

    Besides right and wrong first places it sees every example without its own label: a question that nothing fits.
    """
    rows = np.arange(len(right))
    strange = left_out.copy()
    strange[rows, right] = -np.inf
    columns: list[Array] = []
    goal: list[Array] = []
    for scores, weight in ((left_out, 1.0), (strange, 0.5)):
        order = np.sort(scores, axis=1)
        lead = order[:, -1] - order[:, -2] if scores.shape[1] > 2 else order[:, -1]  # noqa: PLR2004
        hit = (scores.argmax(axis=1) == right).astype(np.float64)
        columns.append(np.column_stack([np.ones(len(right)), order[:, -1], lead, np.full(len(right), weight)]))
        goal.append(hit)
    table, aim = np.vstack(columns), np.concatenate(goal)
    table = table[np.isfinite(table).all(axis=1)] if not np.isfinite(table).all() else table
    aim = aim[: len(table)]
    share, inputs = table[:, 3], table[:, :3]
    beta = np.zeros(3)
    for _ in range(25):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ beta, -30, 30)))
        slope = inputs.T @ (share * (aim - chance)) - 0.1 * np.array([0, 1, 1]) * beta
        curve = (inputs * (share * chance * (1 - chance))[:, None]).T @ inputs + np.diag([1e-6, 0.1, 0.1])
        step = np.linalg.solve(curve, slope)
        beta += step
        if float(np.abs(step).max()) < 1e-6:  # noqa: PLR2004
            break
    beta[1:] = np.maximum(beta[1:], 0)
    return np.asarray(beta)


def _limits(confidence: Array, right: Array) -> Array:
    """The thresholds (sure, unsure) of a language, from what each example said when it was left out."""
    best = confidence.max(axis=1)
    hit = confidence.argmax(axis=1) == right
    order = np.argsort(-best)
    precision = np.cumsum(hit[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(precision >= _SURE_PRECISION)
    sure = float(best[order[good[-1]]]) if len(good) else 0.99
    own = confidence[np.arange(len(right)), right]
    three = own >= np.sort(confidence, axis=1)[:, -min(3, confidence.shape[1])]
    unsure = float(np.quantile(best[three], 1 - _KEPT)) if three.any() else 0.5
    return np.array([max(sure, 0.5), min(unsure, sure)])


def _train(texts: Sequence[str], right: Array, labels: int) -> _Model:
    """The model of one language; `right` (texts) are label numbers."""
    counts = [features(text) for text in texts]
    words, w_texts, w_weights, w_rarity = _index([whole for whole, _ in counts], _WORDS_SHARE)
    pieces, p_texts, p_weights, p_rarity = _index([piece for _, piece in counts], 1 - _WORDS_SHARE)
    where, weights = [*w_texts, *p_texts], [*w_weights, *p_weights]
    size = len(texts)
    goal = np.eye(labels)[right]
    bias = goal.mean(axis=0)
    inverse = np.linalg.inv(_gram(where, weights, size) + _RIDGE * np.eye(size))
    alpha = inverse @ (goal - bias)
    left_out = goal - alpha / np.diag(inverse)[:, None]
    calibration = _calibrate(left_out, right)
    confidence = calibrated(left_out, calibration)
    return _Model(
        words=np.array("\n".join(words)),
        pieces=np.array("\n".join(pieces)),
        table=np.array(
            [weight @ alpha[texts] for texts, weight in zip(where, weights, strict=True)], dtype=np.float32
        ),
        rarity=np.concatenate([w_rarity[:-1], p_rarity]),
        bias=bias,
        calibration=calibration,
        limits=_limits(confidence, right),
        right=right.astype(np.int32),
        left_out=confidence.astype(np.float32),
    )


class Matcher:
    """Topics and intents by example. Trained once; afterwards it is only read and may be used by several threads."""

    def __init__(self, cache: Path | None = None) -> None:
        """`cache`: a folder in which trained models are kept, under the hash of their examples."""
        self._cache = cache
        self._labels: dict[str, tuple[str, ...]] = {}
        self._languages: dict[str, _Language] = {}

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that have examples."""
        return tuple(self._languages)

    def fit(self, texts: Sequence[str], labels: Sequence[str], languages: Sequence[str]) -> Matcher:
        """Learn from examples (three equally long rows). Raises ValueError when there are none."""
        rows = [row for row in zip(texts, labels, languages, strict=True) if normalise(row[0])]
        if not rows:
            raise ValueError("no examples to learn from")
        for language in dict.fromkeys(row[2] for row in rows):
            own = [(text, label) for text, label, theirs in rows if theirs == language]
            names = tuple(dict.fromkeys(label for _, label in own))
            self._labels[language] = names
            self._languages[language] = _Language(self._model(own, names))
        return self

    def thresholds(self, language: str) -> Thresholds:
        """The thresholds of a language. Raises KeyError for one without examples."""
        return self._languages[language].thresholds

    def report(self, language: str) -> Report:
        """What leaving one out said about a language."""
        model = self._languages[language].model
        return Report(self._labels[language], model.right, model.left_out)

    def confidences(self, text: str, languages: Collection[str] | None = None) -> dict[str, dict[str, float]]:
        """For every language (or only those named) the confidence of every label."""
        whole, pieces = features(text)
        return {
            code: dict(zip(self._labels[code], language.confidence(whole, pieces).tolist(), strict=True))
            for code, language in self._languages.items()
            if languages is None or code in languages
        }

    def rank(self, text: str, language: str | Mapping[str, float] | None = None, n: int = 3) -> list[tuple[str, float]]:
        """The `n` best labels with their confidence. `language`: one, or how likely each is; none: all alike."""
        return mix(self.confidences(text), language)[:n]

    def predict(self, text: str, language: str | Mapping[str, float] | None = None) -> tuple[str, float]:
        """The best label and its confidence, 0–1."""
        return self.rank(text, language, 1)[0]

    def _model(self, rows: Sequence[tuple[str, str]], names: Sequence[str]) -> _Model:
        path = None
        if self._cache is not None:
            settings = [_VERSION, _WORDS_SHARE, _RIDGE, _SURE_PRECISION, _KEPT, np.__version__]
            key = hashlib.sha256(json.dumps([settings, rows]).encode()).hexdigest()
            path = self._cache / f"matcher-{key[:32]}.npz"
            with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile), np.load(path) as kept:
                return _Model(**{field.name: kept[field.name] for field in fields(_Model)})
        numbers = {name: number for number, name in enumerate(names)}
        right = np.array([numbers[label] for _, label in rows])
        model = _train([text for text, _ in rows], right, len(names))
        if path is not None:
            _keep(path, model)
        return model


def _keep(path: Path, model: _Model) -> None:
    """Write a model beside its place and move it there; a full or read-only disk only costs the next start time."""
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            np.savez(file, **{field.name: getattr(model, field.name) for field in fields(model)})
        beside.replace(path)
