"""What a text says: topic, language, danger; on the real pack and the real rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.topics import DANGERS, INTENTS, Pack
from bot.understanding import Understanding

DANGER = Path(__file__).parent / "data" / "danger"
LANGUAGES = ("nl", "en", "fr", "ar", "uk")


@pytest.fixture(scope="module")
def understanding(pack: Pack, tmp_path_factory: pytest.TempPathFactory) -> Understanding:
    return Understanding(pack.examples, intents=INTENTS, cache=tmp_path_factory.mktemp("cache"))


def sentences(language: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DANGER / f"{language}.yaml").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_look_alikes_are_no_danger(understanding: Understanding, language: str) -> None:
    data = sentences(language)["must_not"]
    wrong = [f"{understanding.look(text).dangers}: {text}" for text in data if understanding.look(text).dangers]
    assert not wrong, "\n".join(wrong)
    assert len(data) >= 25


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_example_of_the_pack_is_danger(understanding: Understanding, pack: Pack, language: str) -> None:
    wrong = [
        f"{label}: {text}  → {dangers}"
        for label, texts in pack.examples[language].items()
        for text in texts
        if (dangers := understanding.look(text).dangers)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_label_has_enough_examples_and_eight_in_ten_are_found_unseen(
    understanding: Understanding, pack: Pack, language: str
) -> None:
    few = {
        label: len(set(pack.examples[language].get(label, ())))
        for label in (*pack.topics, *INTENTS)
        if len(set(pack.examples[language].get(label, ()))) < 12
    }
    assert not few
    report = understanding.matcher.report(language)
    share = float((report.confidence.argmax(axis=1) == report.right).mean())
    assert share >= 0.8, f"{language}: {share:.1%}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_is_taken_for_its_own_language_and_topic(
    understanding: Understanding, pack: Pack, language: str
) -> None:
    rows = [(label, text) for label, texts in pack.examples[language].items() for text in texts]
    right = [
        (d := understanding.look(text).decide(language)).language == language and d.label == label
        for label, text in rows
    ]
    assert sum(right) / len(right) > 0.9


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ሰላም፣ የት ነው የምማረው?", "am"),
        ("გამარჯობა, სად ვისწავლო?", "ka"),
        ("میں ڈچ زبان کہاں سیکھ سکتا ہوں؟", "ur"),
        ("سڵاو، لە کوێ دەتوانم هۆڵەندی فێربم؟", "ckb"),
        ("በየናይ ቋንቋ ክዛረብ እኽእል እየ", "ti"),
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
