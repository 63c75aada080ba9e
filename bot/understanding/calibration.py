"""How far what was learnt may be trusted: from examples that were kept back, to confidence, thresholds and the alarm.

A logistic regression on a few signs (Wolpert, Stacked generalization, 1992). Part of the learning process: it must not
be imported by the bot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.lessons import NONE, Lessons
from bot.understanding.model import ALARM_SIGNS, SIGNS, Model, Scorer, alarm_signs, confidence, signs
from bot.understanding.values import Thresholds

Array = NDArray[Any]

_KEPT_BACK: Final = 4  # every fourth example judges what the others taught
_STRANGE: Final = 6  # … and every sixth label is not taught at all then
_PULL: Final = 1.0
_FEWEST: Final = 30  # examples kept back; fewer could teach that a worse score is surer
_STRANGERS: Final = 3.0  # how much a question that nothing fits counts, when confidence is learnt
_SURE: Final = 0.8  # of what is answered without asking back is right, among examples kept back
_ASKED: Final = 0.92  # of the questions whose topic is among the best three are at least asked back
_LEAST_SURE: Final = 0.39
_MOST_SURE: Final = 0.42  # examples that are kept back are harder than questions: most words of a label went with them
_LEAST_ASKED: Final = 0.25  # a guess that is wrong three times in four helps nobody
_FALSE_ALARMS: Final = 0.03  # of ordinary examples that were kept back; of questions it is a fifth of that
_WRITTEN: Final = 2.0  # how much more a rule says than examples show: who wrote it meant just that danger
_FALSE_LOOKS: Final = 0.135  # … and of sentences that only sound like danger


@dataclass(frozen=True, slots=True)
class Seen:
    """What examples of one language that were kept back said.

    (n × columns) scores, (n × 2) known shares, (n) columns that are right (or NONE), the columns that were not taught,
    (n) whether the word rules of danger found something.
    """

    scores: Array
    known: Array
    right: Array
    strange: Array
    ruled: Array


def keep_back(
    given: Lessons, codes: Sequence[str], teach: Callable[[Array, Array], Model], rules: Callable[[str], bool]
) -> dict[str, Seen]:
    """Teach with three quarters of the examples and five sixths of the labels; what the rest says, per language.

    `teach` makes a model of some rows, with the labels they have then.
    """
    dice = np.random.default_rng(1)
    labels, dangers = given.labels, given.dangers
    turn = np.empty(len(labels), dtype=int)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        turn[own] = dice.permutation(len(own)) % _KEPT_BACK
    first = given.roots == NONE
    turn[~first] = turn[given.roots[~first]]
    there = np.unique(labels[labels != NONE])
    strange = dice.permutation(there)[: len(there) // _STRANGE]
    taught = np.flatnonzero((turn != 0) & ~np.isin(labels, strange))
    model = Scorer(teach(taught, labels[taught]))
    found = {}
    for number, code in enumerate(codes):
        asked = np.flatnonzero((turn == 0) & first & (given.codes == number)).tolist()
        said = [model.scores(given.words[row]) for row in asked]
        found[code] = Seen(
            np.array([scores for scores, _ in said]),
            np.array([known for _, known in said]),
            np.where(dangers[asked] != NONE, dangers[asked], labels[asked]),
            strange,
            np.array([rules(given.written[row]) for row in asked]),
        )
    return found


def _logistic(table: Array, aim: Array, often: Array) -> Array:
    """Ridge logistic regression by Newton's method: weights of the columns of `table`."""
    weights, pull = np.zeros(table.shape[1]), np.full(table.shape[1], _PULL)
    for _ in range(40):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -30, 30)))
        slope = table.T @ (often * (aim - chance)) - pull * weights
        step = np.linalg.solve((table * (often * chance * (1 - chance))[:, None]).T @ table + np.diag(pull), slope)
        weights += step
        if float(np.abs(step).max()) < 1e-6:  # noqa: PLR2004
            break
    return weights


def stack(seen: Sequence[Seen], topics: int) -> Array:
    """The weights of the signs, from all languages at once. `topics`: how many of the first columns are labels."""
    rows, hits, counts = [], [], []
    for one in seen:
        strange = set(one.strange.tolist())
        for scores, known, label in zip(one.scores, one.known, one.right, strict=True):
            if 0 <= label < topics:
                own = scores[:topics].copy()
                own[one.strange] = -2.0
                first = int(own.argmax())
                rows.append(signs(own, known)[first])
                hits.append(first == label)
                counts.append(_STRANGERS if int(label) in strange else 1.0)
    if len(rows) < _FEWEST:
        return np.array([0, 2, 1, *[0] * (SIGNS - 3)], dtype=np.float32)
    return _logistic(np.array(rows, dtype=np.float64), np.array(hits, dtype=np.float64), np.array(counts)).astype(
        np.float32
    )


def limits(seen: Seen, weights: Array, topics: int) -> Thresholds:
    """From which confidence an answer is right often enough, and below which nothing fits."""
    best, hit, three = [], [], []
    for scores, known, label in zip(seen.scores, seen.known, seen.right, strict=True):
        if 0 <= label < topics:
            own = scores[:topics].copy()
            own[seen.strange] = -2.0
            chance = confidence(signs(own, known), weights)
            order = np.argsort(-chance)
            best.append(float(chance[order[0]]))
            hit.append(order[0] == label)
            three.append(label in order[:3])
    if not best:
        return Thresholds(0.5, 0.2)
    order = np.argsort(-np.array(best))
    share = np.cumsum(np.array(hit)[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= _SURE)
    sure = best[order[good[-1]]] if len(good) else 0.9
    kept = np.array(best)[np.array(three)]
    unsure = float(np.quantile(kept, 1 - _ASKED)) if len(kept) else 0.2
    return Thresholds(min(max(sure, _LEAST_SURE), _MOST_SURE), max(_LEAST_ASKED, min(unsure, _MOST_SURE, sure)))


def alarm(seen: Mapping[str, Seen], topics: int) -> Array:
    """The weights of the signs of danger (see `alarm_signs`): their sum is 0 or more where there is an alarm.

    The limit, which the first of them holds, is where few ordinary examples, and few sentences that only sound like
    danger, reach it, over all languages.
    """
    if not any((one.right >= topics).any() for one in seen.values()):
        return np.array([-1.0, *[0] * (ALARM_SIGNS - 2), 2.0], dtype=np.float32)  # the rules alone
    rows, right = [], []
    for one in seen.values():
        for scores, label, ruled in zip(one.scores, one.right, one.ruled, strict=True):
            rows.append(alarm_signs(scores, topics, ruled=bool(ruled)))
            right.append(label)
    table, label = np.array(rows, dtype=np.float64), np.array(right)
    dangers = label >= topics
    weights = _logistic(table, dangers.astype(np.float64), np.ones(len(table)))
    weights[-1] += _WRITTEN
    said = table @ weights
    usual, looks = said[(label >= 0) & ~dangers], said[label == NONE]
    limit = float(np.quantile(usual, 1 - _FALSE_ALARMS)) if len(usual) else 0.0
    if len(looks):
        limit = max(limit, float(np.quantile(looks, 1 - _FALSE_LOOKS)))
    weights[0] -= limit
    return weights.astype(np.float32)
