"""Guesses which language of the pack a text is in, or which language we do not have; it never answers and never routes.

Pack languages: frequencies of letter groups and words in the pack's own examples. Foreign ones: script, letters and
frequent words from foreign.yaml.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from bot.understanding.normalise import LIMIT, normalise
from bot.understanding.values import Foreign

FOREIGN = Path(__file__).with_name("foreign.yaml")
UNKNOWN = "und"
"""The code of a language that foreign.yaml does not list."""

_SMOOTHING = 0.3
_DAMPING = 0.4  # letter groups overlap: each is only part of a witness
_USUAL = 0.004  # a letter that more of a pack language's words have is no sign of another language
_SIGN = 0.75  # a letter of the foreign language, against 1 for a whole word
_ENOUGH = 1.5
_LONGEST_WORD = 40


@dataclass(frozen=True, slots=True)
class _Entry:
    language: Foreign
    script: str
    letters: frozenset[str]
    against: frozenset[str]
    words: frozenset[str]
    lines: str


@lru_cache(maxsize=4096)
def script(char: str) -> str:
    """The script of a letter as Unicode names it ("LATIN", "ETHIOPIC", "CJK"); "" for what is no letter."""
    if not char.isalpha():
        return ""
    name = unicodedata.name(char, "").split(" ")[0].split("-")[0]
    return {"KATAKANA": "HIRAGANA", "FULLWIDTH": "LATIN", "MODIFIER": "", "FEMININE": "", "MASCULINE": ""}.get(
        name, name
    )


@lru_cache(maxsize=16)
def _words(text: str) -> tuple[str, ...]:
    """The words of `text` with their accents: letters only."""
    lower = unicodedata.normalize("NFKC", text[:LIMIT]).replace("İ", "i").lower()
    if lower.isalpha():
        return (lower,)
    return tuple("".join([char if char.isalpha() or unicodedata.combining(char) else " " for char in lower]).split())


def _groups(word: str) -> list[str]:
    """The witnesses in one word: its letters in groups of 1–4, and the word itself."""
    padded = f" {word[:_LONGEST_WORD]} "
    groups = list(padded[1:-1])
    for size in (2, 3, 4):
        groups += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    groups.append(f"={word}")
    return groups


class Languages:
    """Guesses languages. Built once from the pack's examples; afterwards only read, by any thread."""

    def __init__(self, examples: Mapping[str, Iterable[str]], foreign: Mapping[str, Any] | None = None) -> None:
        """`examples`: pack language → its texts. `foreign`: the content of foreign.yaml, read when not given."""
        self.codes = tuple(examples)
        words = {code: Counter(word for text in texts for word in _words(text)) for code, texts in examples.items()}
        self._known = {
            code: Counter(word for text in texts for word in normalise(text).split())
            for code, texts in examples.items()
        }
        self._learn(words)
        self._scripts = {code: _main_script("".join(counts.elements())) for code, counts in words.items()}
        self._foreign = self._read(foreign if foreign is not None else load_foreign(), words)

    def guess(self, text: str) -> tuple[tuple[str, float], ...]:
        """Every pack language with its probability (they add up to 1), the likeliest first."""
        rows: list[int] = []
        strange = 0
        for word in _words(text)[:200]:
            for group in _groups(word):
                row = self._rows.get(group)
                if row is not None:
                    rows.append(row)
                elif group[0] != "=":
                    strange += 1
        scores = self._chances[rows].sum(axis=0) + strange * self._floor
        scores *= _DAMPING
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        order = np.argsort(-chances, kind="stable")
        return tuple((self.codes[i], float(chances[i])) for i in order)

    def foreign(self, text: str) -> Foreign | None:
        """The language of `text` if it is none of the pack's, as far as letters and frequent words tell."""
        words = _words(text)
        main = _main_script("".join(words))
        if not main:
            return None
        strange = main not in self._scripts.values()
        letters = {word: frozenset(word) for word in words}
        # "lutfen", "за " and the like: the same words without accents, and as they were typed
        plain = {word: normalise(word) for word in letters}
        entries = [entry for entry in self._foreign if entry.script == main]
        if not strange:  # only one that some word speaks for can have enough
            all_words, all_letters = frozenset(plain.values()), frozenset().union(*letters.values())
            entries = [e for e in entries if not e.words.isdisjoint(all_words) or not e.letters.isdisjoint(all_letters)]
        scored = sorted(((_score(entry, plain, letters), entry) for entry in entries), key=lambda row: -row[0])
        if strange:
            return scored[0][1].language if scored else Foreign(UNKNOWN, "", lines=self._lines[UNKNOWN])
        for score, entry in scored[:1]:
            if score < 1:
                break
            known = self._known_words(entry, plain.values(), main)
            if (score >= _ENOUGH and score > known) or (score >= 1 and len(plain) <= 2 and not known):  # noqa: PLR2004
                return entry.language
        return None

    def lines(self, code: str) -> str:
        """The fixed lines of a foreign language, with the placeholder {n112}. An unknown code gets English ones."""
        return self._lines.get(code, self._lines[UNKNOWN])

    def _learn(self, words: Mapping[str, Counter[str]]) -> None:
        counts: dict[str, Counter[str]] = {}
        for code, own in words.items():
            counter = counts.setdefault(code, Counter())
            for word, times in own.items():
                for group in _groups(word):
                    counter[group] += times
        self._rows = {group: row for row, group in enumerate(dict.fromkeys(g for c in counts.values() for g in c))}
        table = np.zeros((len(self._rows), len(self.codes)))
        for column, code in enumerate(self.codes):
            for group, times in counts[code].items():
                table[self._rows[group], column] = times
        total = table.sum(axis=0) + _SMOOTHING * (len(self._rows) + 1)
        self._chances = np.log((table + _SMOOTHING) / total)
        self._floor = np.log(_SMOOTHING / total)

    def _read(self, foreign: Mapping[str, Any], words: Mapping[str, Counter[str]]) -> list[_Entry]:
        usual = {letter for own in words.values() for letter in _usual_letters(own)}
        have = {code.replace("-", "_").split("_")[0] for code in self.codes}
        entries = []
        self._lines = {code: str(entry["lines"]) for code, entry in foreign.items()}
        for code, entry in foreign.items():
            if code in have or code == UNKNOWN:
                continue
            near = entry.get("near")
            entries.append(
                _Entry(
                    language=Foreign(code, entry["name"], near if near in self.codes else None, str(entry["lines"])),
                    script=entry["script"],
                    letters=frozenset(entry.get("letters", "").lower()) - usual - {"\u0307"},
                    against=frozenset(entry.get("against", "")),
                    words=frozenset(normalise(entry.get("words", "")).split()),
                    lines=entry["lines"],
                )
            )
        return entries

    def _known_words(self, entry: _Entry, words: Iterable[str], main: str) -> float:
        """How many of the words the best pack language knows; one that both know counts half, a rare one not."""
        best = 0.0
        for code in self.codes:
            if self._scripts[code] == main or not self._scripts[code]:
                known = self._known[code]
                sum_ = 0.0
                for word in words:
                    if word in entry.words:
                        sum_ += 0.5 if known[word] > 1 else 0.0
                    elif word in known:
                        sum_ += 1
                best = max(best, sum_)
        return best


def _score(entry: _Entry, words: Mapping[str, str], letters: Mapping[str, frozenset[str]]) -> float:
    score = 0.0
    for word, plain in words.items():
        own = letters[word]
        if plain in entry.words:
            score += 1.0 + 0.5 * (not own.isdisjoint(entry.letters))
        elif not own.isdisjoint(entry.letters):
            score += _SIGN
        if not own.isdisjoint(entry.against):
            score -= 1
    return score


def load_foreign(path: Path = FOREIGN) -> dict[str, Any]:
    """The content of foreign.yaml: code → name, script, letters, words, lines."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    content: dict[str, Any] = yaml.load(path.read_bytes(), loader)  # noqa: S506
    return content


def _main_script(text: str) -> str:
    """The script that most letters of `text` have; "" without letters."""
    counts = Counter(map(script, text))
    counts.pop("", None)
    return counts.most_common(1)[0][0] if counts else ""


def _usual_letters(words: Counter[str]) -> set[str]:
    letters: Counter[str] = Counter()
    for word, times in words.items():
        for letter in set(word):
            letters[letter] += times
    return {letter for letter, times in letters.items() if times > _USUAL * words.total()}
