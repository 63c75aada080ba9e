"""Texts as nobody should have to read them: each gets a decision, and the right one where there is one."""

from __future__ import annotations

import pytest

from bot.topics import Pack
from bot.understanding import Understanding

BAILIFF = """Geachte heer, mevrouw,

Ondanks eerdere herinneringen stellen wij vast dat uw schuld ten bedrage van € 384,12 tot op heden niet werd betaald.
Als gerechtsdeurwaarder gelast met de invordering manen wij u aan het bedrag, vermeerderd met intresten en kosten, te
betalen binnen de vijftien dagen. Bij gebreke aan betaling zal tot dagvaarding en beslag op uw inboedel of loon worden
overgegaan, zonder verdere verwittiging. Een afbetalingsplan kan enkel schriftelijk worden aangevraagd.

Hoogachtend, de gerechtsdeurwaarder"""


@pytest.mark.parametrize(
    ("text", "actions"),
    [
        ("a" * 4096, {"unknown", "foreign"}),
        ("vraag " * 682, {"unknown", "choose", "answer", "intent", "foreign"}),
        ("x", {"unknown", "foreign"}),
        ("", {"unknown"}),
        ("😀😀😀", {"unknown"}),
        ("👍", {"unknown"}),
        ("12345", {"unknown"}),
        ("٣٤٥", {"unknown"}),
        ("\x00\x00\x00", {"unknown"}),
        ("?!?!...", {"unknown"}),
        ("\u202e\u202e", {"unknown"}),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_says_nothing_is_not_answered(understanding: Understanding, text: str, actions: set[str]) -> None:
    look = understanding.look(text)
    assert look.decide("nl").action in actions
    assert look.decide(None).action in actions
    assert look.dangers == ()


@pytest.mark.parametrize(
    ("text", "language", "topic"),
    [
        (BAILIFF, "nl", "debts"),
        ("WAAR IS DE BIBLIOTHEEK", "nl", "library"),
        ("waar is de bib\u200bli\u200botheek", "nl", "library"),
        ("waar is de \u202ebibliotheek\u202c", "nl", "library"),
        ("waar is de bibliotheek\x00", "nl", "library"),
        ("w\u0430\u0430r is de bibliotheek", "nl", "library"),
        ("ＷＡＡＲ ＩＳ ＤＥ ＢＩＢＬＩＯＴＨＥＥＫ", "nl", "library"),
        ("bibliotheeeeeek?????", "nl", "library"),
        ("وين المكتبة library مكتبة", "ar", "library"),
        ("مـكـتـبـة", "ar", "library"),
        ("де є бібліотека 📚📚", "uk", "library"),
        ("bibliotheek مكتبة бібліотека", "nl", "library"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_the_topic_is_found_all_the_same(understanding: Understanding, text: str, language: str, topic: str) -> None:
    decision = understanding.look(text).decide(language)
    assert decision.ranked[0][0] == topic, decision
    assert topic in (decision.label, *decision.choices), decision


@pytest.mark.parametrize(
    ("text", "language", "before"),
    [
        ("hoeveel kost dat?", "nl", "sport"),
        ("en voor kinderen?", "nl", "library"),
        ("waar is dat", "nl", "library"),
        ("where is it?", "en", "library"),
        ("how much?", "en", "bank-account"),
        ("скільки це коштує", "uk", "sport"),
    ],
)
def test_a_few_words_are_understood_with_the_question_before(
    understanding: Understanding, text: str, language: str, before: str
) -> None:
    look = understanding.look(text)
    decision = look.decide(language, before)
    assert before in (decision.label, *decision.choices), decision
    alone = look.decide(language)
    assert alone.action != "answer" or alone.label != before


@pytest.mark.parametrize("text", ["asdf qwer", "what is the weather tomorrow", "bitcoin", "voetbaluitslag club brugge"])
def test_what_has_nothing_to_do_with_it_does_not_lean_on_the_question_before(
    understanding: Understanding, text: str
) -> None:
    decision = understanding.look(text).decide("en", "library")
    assert "library" not in (decision.label, *decision.choices), decision


@pytest.mark.parametrize(
    ("text", "language", "topics"),
    [
        ("ik zoek werk en mijn kind moet naar school", "nl", {"work", "school-enrolment"}),
        ("I need a doctor. Also how do I get a bus ticket?", "en", {"doctor", "public-transport"}),
        ("أحتاج طبيب، وكيف أفتح حساب في البنك؟", "ar", {"doctor", "bank-account"}),
    ],
)
def test_two_things_in_one_message_are_both_offered(
    understanding: Understanding, text: str, language: str, topics: set[str]
) -> None:
    decision = understanding.look(text).decide(language)
    assert decision.action == "choose"
    assert topics <= set(decision.choices)


def test_the_same_text_gets_the_same_decision(understanding: Understanding, pack: Pack) -> None:
    for language in pack.languages:
        text = pack.examples[language]["library"][0]
        assert understanding.look(text).decide(language) == understanding.look(text).decide(language)
