"""What a text says: topic, language, danger; on the real pack and the real rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.language import OWN_NAMES
from bot.topics import DANGERS, INTENTS, Pack
from bot.understanding import Understanding

DANGER = Path(__file__).parent / "data" / "danger"
LANGUAGES = tuple(OWN_NAMES)
TRIED = tuple(sorted(path.stem for path in DANGER.glob("*.yaml")))


def sentences(language: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DANGER / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


def some(pack: Pack, language: str) -> list[tuple[str, str]]:
    """Every seventh example, with its label: all of them would take minutes."""
    return [(label, text) for label, texts in pack.examples[language].items() for text in texts][::7]


@pytest.mark.parametrize("language", TRIED)
def test_danger_is_found(understanding: Understanding, language: str) -> None:
    data = sentences(language)["must"]
    missed = [
        f"{kind}: {text}  → {understanding.look(text).dangers}"
        for kind, texts in data.items()
        for text in texts
        if kind not in understanding.look(text).dangers
    ]
    assert not missed, "\n".join(missed)
    assert set(data) == set(DANGERS)
    assert sum(map(len, data.values())) >= 25


@pytest.mark.parametrize("language", TRIED)
def test_look_alikes_are_no_danger(understanding: Understanding, language: str) -> None:
    data = sentences(language)["must_not"]
    wrong = [f"{understanding.look(text).dangers}: {text}" for text in data if understanding.look(text).dangers]
    assert len(wrong) <= 0.1 * len(data), "\n".join(wrong)
    assert len(data) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_hardly_an_example_of_the_pack_is_danger(understanding: Understanding, pack: Pack, language: str) -> None:
    rows = some(pack, language)
    wrong = [f"{label}: {text}  → {dangers}" for label, text in rows if (dangers := understanding.look(text).dangers)]
    assert len(wrong) <= 0.01 * len(rows), "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_has_enough_examples(pack: Pack, language: str) -> None:
    few = {
        label: len(set(pack.examples[language].get(label, ())))
        for label in (*pack.topics, *INTENTS)
        if len(set(pack.examples[language].get(label, ()))) < 12
    }
    assert not few


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_is_taken_for_its_own_language_and_topic(
    understanding: Understanding, pack: Pack, language: str
) -> None:
    rows = some(pack, language)
    right = [
        (d := understanding.look(text).decide(language)).language == language and label in dict(d.ranked[:1])
        for label, text in rows
    ]
    assert sum(right) / len(right) > 0.85  # some are only in Latin letters, or only a Dutch word


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ሰላም፣ የት ነው የምማረው?", "am"),
        ("გამარჯობა, სად ვისწავლო?", "ka"),
        ("میں ڈچ زبان کہاں سیکھ سکتا ہوں؟", "ur"),
        ("سڵاو، لە کوێ دەتوانم هۆڵەندی فێربم؟", "ckb"),
    ],
)
def test_a_language_we_do_not_have_gets_no_answer_of_a_neighbour(
    understanding: Understanding, text: str, code: str
) -> None:
    look = understanding.look(text)
    assert look.foreign is not None
    assert look.foreign.code == code
    assert "{n112}" in look.foreign.lines
    assert look.decide("ar").action == "foreign"


def test_a_greeting_is_a_greeting(understanding: Understanding) -> None:
    assert understanding.look("hello").decide("en").label == "smalltalk"
    assert understanding.look("مرحبا").decide("ar").label == "smalltalk"


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300))
def test_any_text_is_read(understanding: Understanding, text: str) -> None:
    decision = understanding.look(text).decide("nl")
    assert decision.action in {"answer", "choose", "unknown", "foreign", "intent"}
    assert 0 <= decision.confidence <= 1
    assert len(decision.choices) <= 3
