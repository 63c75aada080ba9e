"""The pack of Lokeren has no fault that people would meet; each fault that is looked for is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import proofreading
from bot.channel import Fault
from bot.topics import Pack


def changed(pack: Pack, key: str, language: str, text: str) -> Pack:
    return replace(pack, words={**pack.words, key: {**pack.words[key], language: text}})


def with_examples(pack: Pack, language: str, label: str, *texts: str) -> Pack:
    own = {**pack.examples[language], label: (*pack.examples[language][label], *texts)}
    return replace(pack, examples={**pack.examples, language: own})


@pytest.fixture(scope="module")
def faults(pack: Pack) -> list[Fault]:
    return proofreading.faults(pack)


@pytest.fixture
def words(pack: Pack) -> Pack:
    """The pack without its examples: comparing them all takes seconds."""
    return replace(pack, examples={})


@pytest.fixture
def dutch(pack: Pack) -> Pack:
    """The pack with the examples of one language."""
    return replace(pack, examples={"nl": pack.examples["nl"]})


def new_faults(pack: Pack, mended: Pack) -> list[str]:
    before = {fault.what for fault in proofreading.faults(pack)}
    return [f"{fault.severity}: {fault.what}" for fault in proofreading.faults(mended) if fault.what not in before]


def test_nothing_is_to_be_mended(faults: list[Fault]) -> None:
    errors = [fault.what for fault in faults if fault.severity == "error"]
    assert not errors, "\n".join(errors)


def test_every_translation_says_from_which_dutch_text_it_was_made(faults: list[Fault]) -> None:
    stale = [fault.what for fault in faults if "made_from" in fault.what]
    assert not stale, "\n".join(stale)


@pytest.mark.parametrize(
    ("key", "language", "text", "found"),
    [
        ("topic:library/answer", "en", "Come and read at {website}. Open 12 hours.", "error: en: topic:library/answer"),
        ("topic:library/answer", "en", "", "error: en: topic:library/answer is missing"),
        ("topic:library/title", "fr", "x" * 41, "error: fr: topic:library/title has 41 characters; at most 40"),
        ("topic:library/title", "fr", "La bibliothèque !", "no exclamation marks"),
        ("topic:library/title", "fr", "Ta bibliothèque pour toi", "vous, not tu"),
        ("topic:library/title", "nl", "Uw bibliotheek", "je, not u"),
        ("topic:library/title", "ar", "\u200fمكتبة", "no direction marks"),
        ("topic:library/title", "ar", "مكتبة ٣", "Latin digits"),
        ("topic:library/title", "ti", "ፀሓይ", "ጸ"),
    ],
)
def test_a_fault_in_the_words_is_named(words: Pack, key: str, language: str, text: str, found: str) -> None:
    told = new_faults(words, changed(words, key, language, text))
    assert any(found in line for line in told), told


def test_a_stale_translation_is_named_until_a_small_edit_is_marked(words: Pack) -> None:
    was = words.prints["library"]
    edited = replace(words, prints={**words.prints, "library": "0badcafe"})
    told = new_faults(words, edited)
    assert len(told) == len(words.languages) - 1
    assert all(f"made from the Dutch text {was}" in line and "0badcafe" in line for line in told)
    assert not new_faults(words, replace(edited, also_fits={"library": (was,)}))


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("sport", "bibliotheek", "stands under"),
        ("library", "waar is de bibliotheek van deze stad precies", ""),
        ("library", "ik wil graag een groot boek lenen hier", ""),
    ],
)
def test_examples_under_two_topics_are_named(dutch: Pack, label: str, text: str, found: str) -> None:
    told = new_faults(dutch, with_examples(dutch, "nl", label, text))
    assert [line for line in told if found in line] if found else not [line for line in told if "stands under" in line]


def test_examples_that_are_one_question_are_named(dutch: Pack) -> None:
    twice = ("kan ik daar boeken lenen over paarden", "kan ik daar boeken lenen over paard")
    told = new_faults(dutch, with_examples(dutch, "nl", "library", *twice))
    assert any("too alike" in line for line in told), told


HARD = {
    "nl": "Overeenkomstig de desbetreffende verblijfsreglementering dienen tewerkstellingsaanvragen voorafgaandelijk"
    " ingediend te worden.",
    "en": "Pursuant to the aforementioned residence regulations, applications for employment authorisation necessitate"
    " preliminary administrative submission.",
}
PLAIN = {"nl": "Je mag hier werken. Vraag het ons.", "en": "You may work here. Ask us."}


@pytest.mark.parametrize("language", ["nl", "en"])
def test_plain_words_read_easier_than_an_officials(language: str) -> None:
    assert proofreading.readability(PLAIN[language], language) > 80
    assert proofreading.readability(HARD[language], language) < 30
