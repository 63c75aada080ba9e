"""The quick ways to a score and a confidence say what the plain ones say."""

from __future__ import annotations

import numpy as np
import pytest

from bot.understanding import Understanding
from bot.understanding.knowledge import DANGER
from bot.understanding.model import Scorer, chances, confidence, signs
from bot.understanding.pieces import numbered, words_of

TEXTS = [
    "waar kan ik mijn kind inschrijven voor school",
    "ocmw",
    "kan kan kan kan ik ik ik",
    "qwxz wzxq qzwx",
    "أريد أن أسجل أولادي في المدرسة الصيفية",
    "ж",
    "",
]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text[:12] or "nothing")
def test_what_is_remembered_of_words_adds_up_to_the_whole(understanding: Understanding, text: str) -> None:
    for script, model in understanding.knowledge.models.items():
        words = words_of(text)
        scorer = Scorer(model)
        rows, weights = model.vector(*numbered(words)) if words else (np.zeros(0, dtype=int), np.zeros(0))
        plain = model.said(rows, weights) + model.bias
        for _ in range(2):  # the second time from memory
            scores, known = scorer.scores(words)
            assert np.abs(scores - plain).max() < 1e-4, script
            assert all(0 <= share <= 1 + 1e-6 for share in known)
        count = sum(not label.startswith(DANGER) for label in understanding.knowledge.labels)
        ours = chances(scores[:count], known, understanding.knowledge.weights)
        assert np.abs(ours - confidence(signs(scores[:count], known), understanding.knowledge.weights)).max() < 1e-5
