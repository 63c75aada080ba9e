"""Reads a pack over as an editor would: missing, stale, too long, different, doubled, hard to read; it changes nothing.

An error is what people would meet (a fact that differs, a language without an answer); a warning is what somebody
should look at. What a pattern can find of the rules per language stands in `proofreading.yaml`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from bot import topics
from bot.channel import Fault
from bot.language import placeholders
from bot.topics import ANSWER_MOST, TITLE_MOST, Pack
from bot.understanding.normalise import normalise

ENOUGH: Final = 20
ENOUGH_SEED: Final = 30
EASY: Final = 60.0
"""Below this an answer is harder than B1: "fairly difficult" on the scale of Flesch, also in Douma's for Dutch."""

_RULES: Final = Path(__file__).with_suffix(".yaml")
_ALIKE: Final = 0.8
_SAME: Final = 0.92
_CELLS: Final = 2048
_NUMBER: Final = re.compile(r"\d+(?:[:.,]\d+)*")


def faults(pack: Pack) -> list[Fault]:
    """Everything found, errors first, each naming the file, the place and what was expected."""
    found = [
        *_stale(pack), *_compared(pack), *_lengths(pack), *_patterns(pack), *_names(pack), *_examples(pack),
        *_readability(pack),
    ]  # fmt: skip
    return sorted(found, key=lambda fault: fault.severity)


def _said(pack: Pack, language: str) -> Iterator[tuple[str, str]]:
    for key, words in pack.words.items():
        if text := words.get(language):
            yield key, text


def _stale(pack: Pack) -> Iterator[Fault]:
    """Translations made from another Dutch text, or that do not say from which."""
    for language in pack.languages:
        if language == pack.source_language:
            continue
        for part in (*pack.topics, "cards", "ready"):
            name = part if part in ("cards", "ready") else ""
            file = f"{name}.{language}.yaml" if name else f"{language}.yaml, topic {part}"
            made_from, now = pack.made_from.get(language, {}).get(part), pack.prints[part]
            if made_from is None:
                words = f"{file}: no made_from; expected made_from: {now} when it says what the Dutch says"
                yield Fault(words, "warning")
            elif made_from != now and made_from not in pack.also_fits.get(part, ()):
                words = (
                    f"{file}: stale, made from the Dutch text {made_from}, which is {now} now. Translate it anew and"
                    f" set made_from; after a small edit add {made_from} to also_fits of the Dutch one"
                )
                yield Fault(words, "warning")


def _compared(pack: Pack) -> Iterator[Fault]:
    """Placeholders and numbers that the Dutch does not have, or that are lost."""
    for key, words in pack.words.items():
        dutch = words.get(pack.source_language, "")
        for language in pack.languages:
            text = words.get(language)
            if not text:
                if dutch:
                    yield Fault(f"{language}: {key} is missing")
                continue
            if names := _difference(_used(dutch), _used(text)):
                yield Fault(f"{language}: {key}: placeholders differ from the Dutch: {names}")
            if key.startswith("topic:") and (numbers := _difference(_numbers(dutch), _numbers(text))):
                yield Fault(f"{language}: {key}: numbers differ from the Dutch: {numbers}")


def _used(text: str) -> Counter[str]:
    return Counter(dict.fromkeys(placeholders(text), 1))


def _numbers(text: str) -> Counter[str]:
    return Counter(set(_NUMBER.findall(text.translate(_DIGITS))))


_DIGITS: Final = {code: str(code & 15) for code in range(0x6F0, 0x6FA)} | {
    code: str(code - 0x660) for code in range(0x660, 0x66A)
}


def _difference(dutch: Counter[str], here: Counter[str]) -> str:
    lost, new = sorted((dutch - here).elements()), sorted((here - dutch).elements())
    return ", ".join([f"lost {one}" for one in lost] + [f"new {one}" for one in new])


def _lengths(pack: Pack) -> Iterator[Fault]:
    for language in pack.languages:
        for key, text in _said(pack, language):
            most = TITLE_MOST if key.endswith("/title") else ANSWER_MOST if key.endswith("/answer") else 4096
            if len(text) > most:
                yield Fault(f"{language}: {key} has {len(text)} characters; at most {most}")


def rules() -> Mapping[str, list[tuple[re.Pattern[str], str]]]:
    """Language (or "all") → (what must not stand there, the rule)."""
    data: Mapping[str, Any] = yaml.safe_load(_RULES.read_text(encoding="utf-8"))
    return {code: [(re.compile(one["wrong"], re.IGNORECASE), one["say"]) for one in own] for code, own in data.items()}


def _patterns(pack: Pack) -> Iterator[Fault]:
    known = rules()
    for language in pack.languages:
        for key, text in _said(pack, language):
            bare = re.sub(r"\{\w+\}|“[^”]*”|\"[^\"]*\"", " ", text)
            for pattern, rule in (*known["all"], *known.get(language, ())):
                if hit := pattern.search(bare):
                    yield Fault(f"{language}: {key}: “{hit[0]}” – {rule}", "warning")


def _names(pack: Pack) -> Iterator[Fault]:
    """A Dutch name that is explained in other words than those of the glossary, or not at all."""
    for language, names in pack.names.items():
        for key, text in _said(pack, language):
            if not key.endswith("/answer"):
                continue
            for name, meaning in names.items():
                found = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
                if found and not re.match(rf"[\"”»]?\s*\([^)]*{re.escape(meaning)}[^)]*\)", text[found.end() :]):
                    yield Fault(f"{language}: {key}: expected “{name} ({meaning})” where it stands first", "warning")


# --- examples -----------------------------------------------------------------------------------------------------


def _examples(pack: Pack) -> Iterator[Fault]:
    for language, own in pack.examples.items():
        for label in (*pack.topics, *topics.INTENTS):
            least = ENOUGH_SEED if label in pack.topics and pack.topics[label].seed else ENOUGH
            if (count := len(set(own.get(label, ())))) < least:
                yield Fault(f"{language}: {label} has {count} example questions; at least {least}")
        yield from _alike(language, [(label, text) for label, texts in own.items() for text in texts])


def _alike(language: str, rows: list[tuple[str, str]]) -> Iterator[Fault]:
    """Examples that are one question: the same words under two labels, or nearly the same letters."""
    plain = [normalise(text) for _, text in rows]
    seen: dict[str, int] = {}
    for number, text in enumerate(plain):
        first = seen.setdefault(text, number)
        if first != number and rows[first][0] != rows[number][0]:
            yield Fault(f"{language}: “{rows[number][1]}” stands under {rows[first][0]} and {rows[number][0]}")
    grams = np.zeros((len(rows), _CELLS), np.float32)
    for number, text in enumerate(plain):
        padded = f" {text} "
        for start in range(max(1, len(padded) - 2)):
            grams[number, hash_of(padded[start : start + 3])] = 1
    sizes = grams.sum(axis=1)
    for start in range(0, len(rows), 256):
        shared = grams[start : start + 256] @ grams.T
        likeness = shared / np.maximum(sizes[start : start + 256, None] + sizes[None, :] - shared, 1)
        for one, other in zip(*np.nonzero(likeness >= _ALIKE), strict=True):
            first, second = start + int(one), int(other)
            if first >= second or (plain[first] == plain[second] and rows[first][0] != rows[second][0]):
                continue
            own = rows[first][0] == rows[second][0]
            if own or likeness[one, other] >= _SAME:
                labels = rows[first][0] if own else f"{rows[first][0]} and {rows[second][0]}"
                words = f"{language}: {labels}: “{rows[first][1]}” and “{rows[second][1]}” are too alike"
                yield Fault(words, "warning")


def hash_of(gram: str) -> int:
    """A cell for three letters; the same in every run."""
    return sum(ord(char) * factor for char, factor in zip(gram, (1, 1009, 9176), strict=False)) % _CELLS


# --- readability --------------------------------------------------------------------------------------------------


_VOWELS: Final = {
    "nl": re.compile(r"aai|ooi|oei|eeuw|ieuw|aa|ee|oo|uu|ie|oe|eu|ui|ou|au|ij|ei|[aeiouyéèëïöü]"),
    "en": re.compile(r"[aeiouy]+"),
}


def readability(text: str, language: str) -> float:
    """Ease of reading from 0 (hard) to about 100 (very easy), for nl and en.

    English: R. Flesch, "A new readability yardstick", 1948. Dutch: W. H. Douma, "De leesbaarheid van
    landbouwbladen", 1960: 206.84 - 0.77 × syllables per 100 words - 0.93 × words per sentence.
    """
    words = re.findall(r"[^\W\d_]+", re.sub(r"\{\w+\}", " ", text))
    sentences = max(1, len([part for part in re.split(r"[.?!:\n]+", text) if re.search(r"[^\W\d_]", part)]))
    if not words:
        return 100.0
    syllables = sum(_syllables(word.lower(), language) for word in words)
    per_word, per_sentence = syllables / len(words), len(words) / sentences
    if language == "nl":
        return 206.84 - 77 * per_word - 0.93 * per_sentence
    return 206.835 - 84.6 * per_word - 1.015 * per_sentence


def _syllables(word: str, language: str) -> int:
    count = len(_VOWELS[language].findall(word))
    if language == "en" and count > 1 and re.search(r"[^aeiouyl]e$|[^aeiouytd]ed$", word):
        count -= 1
    return max(1, count)


def _readability(pack: Pack) -> Iterator[Fault]:
    for language in _VOWELS:
        for key, text in _said(pack, language):
            if key.endswith("/answer") and (ease := readability(text, language)) < EASY:
                yield Fault(f"{language}: {key}: readability {ease:.0f}; aim at {EASY:.0f} or more (B1)", "warning")
