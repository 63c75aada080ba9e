"""The matcher learns from any texts, also from very few, and says what is wrong with what it is given."""

from __future__ import annotations

import pytest

from bot.understanding.matcher import Matcher

FEW = [
    ("book a table", "table"), ("reserve table", "table"), ("play music", "music"), ("play a song", "music"),
    ("what time is it", "time"), ("tell the time", "time"),
]  # fmt: skip


def learnt(*rows: tuple[str, str], language: str = "en") -> Matcher:
    texts, labels = zip(*rows, strict=True)
    return Matcher().fit(texts, labels, [language] * len(rows))


@pytest.mark.parametrize(
    ("text", "label"), [("play something", "music"), ("a table for two", "table"), ("which time", "time")]
)
def test_two_examples_of_a_label_are_enough(text: str, label: str) -> None:
    found, confidence = learnt(*FEW).predict(text)
    assert found == label
    assert 0 < confidence <= 1


def test_what_resembles_nothing_is_less_sure_than_what_was_taught() -> None:
    matcher = learnt(*FEW)
    assert matcher.predict("zzz qqq")[1] < matcher.predict("play music")[1]


@pytest.mark.parametrize("rows", [FEW[:1], FEW[:2], [("", "nothing"), *FEW], [("🙂", "smile"), *FEW]])
def test_it_learns_from_hardly_anything(rows: list[tuple[str, str]]) -> None:
    matcher = learnt(*rows)
    for text in ("book a table", "", "\0", "مرحبا", "🙂" * 3000):
        label, confidence = matcher.predict(text)
        assert label in {one for _, one in rows}
        assert 0 <= confidence <= 1


def test_each_language_is_read_in_its_own_letters() -> None:
    texts = ["open the door", "close the door", "افتح الباب", "أغلق الباب"]
    matcher = Matcher().fit(texts, ["open", "close", "open", "close"], ["en", "en", "ar", "ar"])
    assert matcher.predict("please close it")[0] == "close"
    assert matcher.predict("أغلق", "ar")[0] == "close"


def test_what_cannot_be_is_named() -> None:
    with pytest.raises(ValueError, match="no examples"):
        Matcher().fit([], [], [])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        Matcher().fit(["a"], ["b", "c"], ["en"])
    with pytest.raises(ValueError, match="fit first"):
        Matcher().predict("a")
    with pytest.raises(ValueError, match="'fr'; there are en"):
        learnt(*FEW).predict("a", "fr")
