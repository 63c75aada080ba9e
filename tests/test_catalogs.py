"""Every message of the code is there in every language with the same placeholders; content too."""

from __future__ import annotations

import pytest

from bot.language import placeholders
from bot.topics import READY, Pack
from tools import messages

CASES = [(domain, language) for domain, (_, languages) in messages.DOMAINS.items() for language in languages]


@pytest.mark.parametrize(("domain", "language"), CASES)
def test_a_catalog_is_complete(domain: str, language: str) -> None:
    said = set(messages.found(messages.DOMAINS[domain][0]))
    catalog = {str(m.id): str(m.string) for m in messages.read(domain, language) if m.id and not m.fuzzy}
    missing = sorted(key for key in said if not catalog.get(key))
    assert not missing, f"{domain}.{language}: run `make messages`, then translate:\n" + "\n".join(missing)
    extra = sorted(set(catalog) - said)
    assert not extra, f"{domain}.{language}: no longer said (make messages):\n" + "\n".join(extra)
    different = [f"{key!r} → {words!r}" for key, words in catalog.items() if placeholders(key) != placeholders(words)]
    assert not different, "\n".join(different)


@pytest.mark.parametrize(("domain", "language"), CASES)
def test_texts_are_kind_and_calm(domain: str, language: str) -> None:
    loud = [str(m.string) for m in messages.read(domain, language) if m.id and "!" in str(m.string)]
    assert not loud, loud


def test_the_content_is_there_in_every_language_with_the_same_placeholders(pack: Pack) -> None:
    faults = []
    for key, words in pack.words.items():
        faults += [f"{key}: not in {language}" for language in pack.languages if language not in words]
        source = placeholders(words.get(pack.source_language, ""))
        faults += [
            f"{key} in {language}: {sorted(placeholders(text))}, in {pack.source_language} {sorted(source)}"
            for language, text in words.items()
            if placeholders(text) != source
        ]
    assert not faults, "\n".join(faults)


def test_titles_and_answers_fit(pack: Pack) -> None:
    long = [
        f"{key} in {language}: {len(text)}"
        for key, words in pack.words.items()
        for language, text in words.items()
        if (key.endswith("/title") and len(text) > 40) or (key.endswith("/answer") and len(text) > 600)
    ]
    assert not long, "\n".join(long)


def test_all_topics_and_all_ready_sentences_are_there(pack: Pack) -> None:
    assert len(pack.topics) == 62
    assert {f"ready:{name}" for name in READY} <= set(pack.words)
