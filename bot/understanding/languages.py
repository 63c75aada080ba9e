"""Guesses which language of the pack a text is in, or which language we do not have; it never answers and never routes.

Pack languages: frequencies of letter groups and words in the pack's own texts. Foreign ones: script, letters and
frequent words from foreign.yaml.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import yaml

from bot.understanding.knowledge import Array, LanguageTable
from bot.understanding.normalise import LIMIT, normalise
from bot.understanding.romanise import romanised
from bot.understanding.scripts import LATIN, main_script
from bot.understanding.skeleton import skeleton_of
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
_WORDS_MOST = 200
_REMEMBERED = 4096  # words: people use the same ones again and again
_ONCE, _TWICE = math.log(1.15 / _SMOOTHING), math.log(1.7 / _SMOOTHING)
"""How far above a strange group a word is that was seen once, or more often; float16 is not exact."""


@dataclass(frozen=True, slots=True)
class _Entry:
    language: Foreign
    script: str
    letters: frozenset[str]
    against: frozenset[str]
    words: frozenset[str]
    lines: str


_SPELLING = frozenset("235679")
"""Digits that stand for letters in Arabizi."""


_plain_word = lru_cache(maxsize=_REMEMBERED)(normalise)


@lru_cache(maxsize=16)
def _words(text: str) -> tuple[str, ...]:
    """The words of `text` with their accents: letters, and digits that are spelled as some."""
    lower = unicodedata.normalize("NFKC", text[:LIMIT]).replace("İ", "i").lower()
    if lower.isalpha():
        return (lower,)
    spaced = [char if char.isalpha() or char in _SPELLING or unicodedata.combining(char) else " " for char in lower]
    return tuple(word for word in "".join(spaced).split() if not word.isdigit())


def _number(group: str) -> int:
    return crc32(group.encode())


def _heard(word: str) -> tuple[int, ...]:
    """The same of its consonants, in which Latin letters and others meet."""
    bare = skeleton_of(normalise(word).replace(" ", ""))
    return _groups(bare) if bare else ()


def _groups(word: str) -> tuple[int, ...]:
    """The numbers of the witnesses in one word: its letters in groups of 1–4, and the word itself (the last)."""
    padded = f" {word[:_LONGEST_WORD]} "
    groups = list(padded[1:-1])
    for size in (2, 3, 4):
        groups += [padded[start : start + size] for start in range(len(padded) - size + 1)]
    groups.append(f"={word}")
    return tuple(map(_number, groups))


def learn_languages(texts: Mapping[str, Iterable[str]]) -> LanguageTable:
    """How likely each group of letters is in each language. `texts`: pack language → its texts."""
    codes = tuple(texts)
    words = {code: Counter(word for text in own for word in _words(text)) for code, own in texts.items()}
    groups: list[int] = []
    columns: list[int] = []
    times: list[int] = []
    for column, own in enumerate(words.values()):
        for word, count in own.items():
            ways = (group for way in romanised(word) for group in _groups(way))
            numbers = (*_groups(word), *_heard(word), *ways, _number(f"#{normalise(word)}"))
            groups += numbers
            columns += [column] * len(numbers)
            times += [count] * len(numbers)
    keys, rows = np.unique(np.array(groups, dtype=np.uint32), return_inverse=True)
    cells = rows * len(codes) + np.array(columns, dtype=int)
    table = np.bincount(cells, np.array(times), minlength=len(keys) * len(codes)).reshape(len(keys), len(codes))
    total = table.sum(axis=0) + _SMOOTHING * (len(keys) + 1)
    kept = table.sum(axis=1) > 1
    return LanguageTable(
        codes=codes,
        keys=keys[kept],
        chances=np.log((table[kept] + _SMOOTHING) / total).astype(np.float16),
        floor=np.log(_SMOOTHING / total).astype(np.float32),
        scripts=tuple(main_script("".join(own.elements())) for own in words.values()),
        usual="".join(sorted({letter for own in words.values() for letter in _usual_letters(own)})),
    )


class Languages:
    """Guesses languages. Only read, by any thread."""

    def __init__(self, table: LanguageTable, foreign: Mapping[str, Any] | None = None) -> None:
        """`foreign`: the content of foreign.yaml, read when not given."""
        self.codes = table.codes
        self._table = table
        self._columns = {code: column for column, code in enumerate(table.codes)}
        self._scripts = dict(zip(table.codes, table.scripts, strict=True))
        self._told = lru_cache(maxsize=_REMEMBERED)(self._witness)
        self._often = lru_cache(maxsize=_REMEMBERED)(self._seen)
        self._foreign = self._read(foreign if foreign is not None else load_foreign())

    def guess(self, text: str) -> tuple[tuple[str, float], ...]:
        """Every pack language with its probability (they add up to 1), the likeliest first."""
        latin = main_script(text) == LATIN
        said = [self._told(word, latin) for word in _words(text)[:_WORDS_MOST]]
        scores = np.add.reduce(said) if said else np.zeros(len(self.codes), dtype=np.float32)
        chances = np.exp(scores - scores.max())
        chances /= chances.sum()
        found = zip(self.codes, chances.tolist(), strict=True)
        return tuple(sorted(found, key=lambda one: -one[1]))

    def how_often(self, word: str, code: str) -> int:
        """0, 1 or 2 (more than once): how often a plain word stands in the texts of a language."""
        return self._often(word)[self._columns[code]]

    def _witness(self, word: str, latin: bool) -> Array:  # noqa: FBT001 (as a cache wants it)
        """What a word says of each language: the log of its chance, damped. Read it through `_told`."""
        table = self._table
        numbers = np.array((*_groups(word), *(_heard(word) if latin else ())), dtype=np.uint32)
        at = table.keys.searchsorted(numbers)
        at[at == len(table.keys)] = 0
        known = table.keys[at] == numbers
        scores: Array = table.chances[at[known]].sum(axis=0, dtype=np.float32) + float((~known).sum()) * table.floor
        return scores * np.float32(_DAMPING)

    def _seen(self, word: str) -> tuple[int, ...]:
        """`how_often` for each language. Read it through `_often`."""
        keys = self._table.keys
        number = _number(f"#{word}")
        at = int(keys.searchsorted(keys.dtype.type(number)))
        if at == len(keys) or keys[at] != number:
            return (0,) * len(self.codes)
        above = (self._table.chances[at] - self._table.floor).tolist()
        return tuple(2 if one > _TWICE else 1 if one > _ONCE else 0 for one in above)

    def foreign(self, text: str) -> Foreign | None:
        """The language of `text` if it is none of the pack's, as far as letters and frequent words tell."""
        words = _words(text)
        main = main_script("".join(words))
        if not main:
            return None
        strange = main not in self._scripts.values()
        letters = {word: frozenset(word) for word in words}
        # "lutfen", "за " and the like: the same words without accents, and as they were typed
        plain = {word: _plain_word(word) for word in letters}
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

    def _read(self, foreign: Mapping[str, Any]) -> list[_Entry]:
        usual = set(self._table.usual)
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
                sum_ = 0.0
                for word in words:
                    often = self.how_often(word, code)
                    if word in entry.words:
                        sum_ += 0.5 if often > 1 else 0.0
                    elif often:
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


def _usual_letters(words: Counter[str]) -> set[str]:
    letters: Counter[str] = Counter()
    for word, times in words.items():
        for letter in set(word):
            letters[letter] += times
    return {letter for letter, times in letters.items() if times > _USUAL * words.total()}
