"""Matches a text with labels by example; it knows labels and texts, never what they mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bot.understanding.knowledge import ANY, DANGER, Knowledge
from bot.understanding.model import Array, Scorer, alarm_signs, chances
from bot.understanding.pieces import words_of
from bot.understanding.scripts import LATIN, main_script

if TYPE_CHECKING:
    from bot.understanding.languages import Languages

NEGLIGIBLE = 0.002
"""A language this unlikely adds less to a confidence than can be seen."""

_FEWEST = 6  # letters; fewer tell of danger by the rules only
_ALONE = 10  # … and of one word alone
LIKE_IT = 0.0  # from here a kind of danger is named beside the likeliest one


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a text: per script the confidence of each label.

    `alarm`: 0 or more where it tells of danger, with `kinds` and how much each of them is meant.
    """

    found: dict[str, Array]
    alarm: float = -1.0
    kinds: dict[str, float] = field(default_factory=dict)

    def meant(self, ruled: Collection[str]) -> set[str]:
        """The kinds of danger that an alarm is about; `ruled`: those the word rules name."""
        most = max(self.kinds.values(), default=0.0)
        likely = {kind for kind, score in self.kinds.items() if score >= LIKE_IT or (score == most and not ruled)}
        return likely | set(ruled)


class Reader:
    """Scores texts by what was learnt. Only read, by any thread."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge
        self._scorers = {script: Scorer(model) for script, model in knowledge.models.items()}
        self._alarm = knowledge.alarm.tolist()
        self.scripts = dict(zip(knowledge.languages.codes, knowledge.languages.scripts, strict=True))
        self.labels = tuple(label for label in knowledge.labels if not label.startswith(DANGER))
        self._kinds = tuple(label[len(DANGER) :] for label in knowledge.labels[len(self.labels) :] if label != ANY)

    def read(self, text: str, codes: Sequence[str], *, ruled: bool = False) -> Read:
        """Read a text that may be in these languages. `ruled`: the word rules found danger in it.

        Latin letters meet a language that has others by their consonants. A short word alone tells of danger by the
        rules only.
        """
        latin, count = main_script(text) == LATIN, len(self.labels)
        least = _FEWEST if len(text.split()) > 1 else _ALONE
        said: dict[str, Array] = {}
        found: dict[str, Array] = {}
        for script in dict.fromkeys(self.scripts[code] for code in codes):
            words = words_of(text, bare=latin and script != LATIN)
            said[script], known = self._scorers[script].scores(words)
            found[script] = chances(said[script][:count], known, self._knowledge.weights)
        if not self._kinds or sum(map(str.isalpha, text)) < least:
            return Read(found, 0.0 if ruled else -1.0)
        alarms = {
            script: sum(
                weight * sign for weight, sign in zip(self._alarm, alarm_signs(own, count, ruled=ruled), strict=True)
            )
            for script, own in said.items()
        }
        worst = max(alarms, key=lambda script: alarms[script])
        kinds = dict(zip(self._kinds, said[worst][count:-1].tolist(), strict=True))
        return Read(found, alarms[worst], kinds)


def mixed(confidences: Mapping[str, Array], shares: Mapping[str, float], scripts: Mapping[str, str]) -> Array:
    """Confidence per label over all scripts, each with the share of its languages."""
    weights: dict[str, float] = {}
    for code, share in shares.items():
        weights[scripts[code]] = weights.get(scripts[code], 0.0) + share
    total: Array = sum((weights[script] * own for script, own in confidences.items()), np.zeros(1))
    return np.minimum(total, 1.0)


class Matcher:
    """Labels by example, for any texts: what the bot uses, without a pack. Learning needs scikit-learn."""

    def __init__(self) -> None:
        self.knowledge: Knowledge | None = None
        self._reader: Reader | None = None
        self._languages: Languages | None = None

    def fit(self, texts: Sequence[str], labels: Sequence[str], languages: Sequence[str]) -> Matcher:
        """Learn from examples (three equally long rows). Raises ValueError when there are none."""
        from bot.understanding.languages import Languages
        from bot.understanding.training import learn

        rows = list(zip(texts, labels, languages, strict=True))
        if not rows:
            raise ValueError("no examples to learn from")
        self.knowledge = learn(rows)
        self._reader = Reader(self.knowledge)
        self._languages = Languages(self.knowledge.languages, {})
        return self

    def predict(self, text: str, language: str | None = None) -> tuple[str, float]:
        """The best label and its confidence, 0–1. `language`: of the text; guessed when not given.

        Raises ValueError before `fit` or for a language without examples.
        """
        knowledge, reader, languages = self.knowledge, self._reader, self._languages
        if knowledge is None or reader is None or languages is None:
            raise ValueError("nothing was learnt yet: fit first")
        if language is not None and language not in knowledge.limits:
            raise ValueError(f"no examples in {language!r}; there are {', '.join(knowledge.limits)}")
        shares = {language: 1.0} if language else dict(languages.guess(text))
        found = reader.read(text, [code for code, share in shares.items() if share >= NEGLIGIBLE]).found
        chance = mixed(found, shares, reader.scripts)
        best = int(chance.argmax())
        return reader.labels[best], float(chance[best])
