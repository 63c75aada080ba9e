"""Finds danger in a text by the word rules of all languages at once; recall comes before precision, it never raises."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from bot.understanding.normalise import normalise, plain_words, squeeze
from bot.understanding.patterns import Patterns, plain_pattern

Kind = Literal["emergency", "suicide", "child", "violence", "threat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of danger, the most urgent first."""

RULES = Path(__file__).parent / "danger"

_NEAR = 2  # other words that may stand between two neighbouring words of a phrase
_FAR = 5  # … and where the phrase has ".."
_GLUED_LENGTH = 8  # a phrase written without spaces is only looked for when it has this many letters
_SPELLED_LENGTH = 6  # … and of letters that were typed one by one: "w i l d o o d"
_GLUED_LONGEST = 24
_GLUED_FORMS = 60
_REMEMBERED = 4096  # words: people use the same ones again and again
_WORD_LIMIT = 64  # longer "words" are not searched for phrases without spaces


@dataclass(frozen=True, slots=True)
class Found:
    """A kind of danger in a text, and the phrase of the rules that said so (for tests: never logged)."""

    kind: Kind
    language: str
    phrase: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A phrase: per place its alternatives (each a row of word patterns), and the room before each place."""

    kind: Kind | None  # None: a look-alike
    language: str
    phrase: str
    places: tuple[tuple[tuple[int, ...], ...], ...]
    room: tuple[int, ...]

    def may_stand(self, found: Container[int]) -> bool:
        """Whether each place has a word among the patterns that were found; where they stand is not looked at."""
        return all(any(row[0] in found for row in place) for place in self.places)


class Danger:
    """The rules of all languages, compiled. Built once; `look` only reads and may run in several threads."""

    def __init__(self, rules: Mapping[str, Mapping[str, Any]], known: Container[str] = ()) -> None:
        """`rules`: language → the content of its file. `known`: ordinary words that are nobody's typing error."""
        self._patterns = Patterns()
        self._known = known
        self._rules: list[_Rule] = []
        self._glued: dict[str, _Rule] = {}
        # The same alternatives are written in thousands of phrases: they are read, and kept, once.
        self._place = lru_cache(maxsize=None)(self._read_place)
        self._alternative = lru_cache(maxsize=None)(self._read_alternative)
        for language, file in sorted(rules.items()):
            for kind in KINDS:
                for phrase in file.get("kinds", {}).get(kind, ()):
                    self._add(kind, language, str(phrase))
            for phrase in file.get("look_alikes", ()) or ():
                self._add(None, language, str(phrase))
        self._patterns.seal()
        self._place.cache_clear()
        self._alternative.cache_clear()
        self._triggers = self._chosen_triggers()
        self._read_word = lru_cache(maxsize=_REMEMBERED)(self._word)

    @classmethod
    def read(cls, folder: Path = RULES, known: Container[str] = ()) -> Danger:
        """The rules of all languages in `folder`, one YAML file each."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        files = {path.stem: yaml.load(path.read_bytes(), loader) for path in sorted(folder.glob("*.yaml"))}  # noqa: S506
        return cls(files, known)

    def look(self, text: str) -> tuple[Found, ...]:
        """What danger is in `text`: one entry per kind, the most urgent kind first."""
        found: dict[Kind, Found] = {}
        plain = normalise(text)
        forms = {plain: None, squeeze(plain): None, squeeze(plain, 2): None}
        ways: list[tuple[Sequence[str], int]] = [(form.split(), _GLUED_LENGTH) for form in forms]
        spelled = plain_words(text)
        if len(spelled) < len(ways[0][0]):
            ways.append((spelled, _SPELLED_LENGTH))
        for words, least in ways:
            for rule in self._match(words, least):
                if rule.kind is not None:
                    found.setdefault(rule.kind, Found(rule.kind, rule.language, rule.phrase))
        return tuple(found[kind] for kind in KINDS if kind in found)

    def _match(self, words: Sequence[str], least: int) -> Iterator[_Rule]:
        places: dict[int, list[int]] = defaultdict(list)
        for index, word in enumerate(words):
            patterns, glued = self._read_word(word, least)
            yield from glued
            for number in patterns:
                places[number].append(index)
        woken = {number: None for pattern in places for number in self._triggers.get(pattern, ())}
        rules = [number for number in woken if self._rules[number].may_stand(places)]
        blank: set[int] = set()
        for number in rules:
            if self._rules[number].kind is None:
                blank.update(*_spans(self._rules[number], places))
        if blank:
            places = {number: [i for i in where if i not in blank] for number, where in places.items()}
        for number in rules:
            rule = self._rules[number]
            if rule.kind is not None and _spans(rule, places):
                yield rule

    def _word(self, word: str, least: int) -> tuple[frozenset[int], tuple[_Rule, ...]]:
        """The patterns that fit a word, and the rules that stand in it. Read it through `_read_word`."""
        patterns = self._patterns.of(word, typos=word not in self._known)
        return frozenset(patterns), tuple(self._glued_in(word, least))

    def _glued_in(self, word: str, least: int) -> Iterator[_Rule]:
        """Rules whose phrase, of at least so many letters, stands in `word` without its spaces ("iwanttodie")."""
        if least <= len(word) <= _WORD_LIMIT and word not in self._known:
            for size in range(least, min(len(word), _GLUED_LONGEST) + 1):
                for start in range(len(word) - size + 1):
                    if (rule := self._glued.get(word[start : start + size])) is not None:
                        yield rule

    def _add(self, kind: Kind | None, language: str, phrase: str) -> None:
        places: list[tuple[tuple[int, ...], ...]] = []
        room: list[int] = []
        plain: list[list[str]] = []
        gap = _NEAR
        for word in phrase.split():
            if word == "..":
                gap = _FAR
                continue
            place = self._place(word)
            if not place:
                continue
            places.append(place)
            room.append(gap)
            plain.append([plain_pattern(a).replace(" ", "") for a in word.split("|") if "*" not in a])
            gap = _NEAR
        if not places:
            return
        rule = _Rule(kind, language, phrase, tuple(places), tuple(room))
        self._rules.append(rule)
        if kind is not None and len(plain) > 1 and ".." not in phrase:
            for row in itertools.islice(itertools.product(*plain), _GLUED_FORMS):
                glued = "".join(row)
                if len(glued) >= _SPELLED_LENGTH:
                    self._glued.setdefault(glued, rule)

    def _read_place(self, written: str) -> tuple[tuple[int, ...], ...]:
        """The alternatives of "one|other". Read it through `_place`."""
        return tuple(row for alternative in written.split("|") for row in self._alternative(alternative))

    def _read_alternative(self, written: str) -> tuple[tuple[int, ...], ...]:
        """The word patterns of one; "don't" may be written in two words or in one. Read it through `_alternative`."""
        end, begin = written.startswith("*"), written.endswith("*")
        cores = plain_pattern(written).split()
        rows = [cores, ["".join(cores)]] if len(cores) > 1 else [cores] if cores else []
        return tuple(
            tuple(
                self._patterns.number(core, begin=begin and i == len(row) - 1, end=end and i == 0)
                for i, core in enumerate(row)
            )
            for row in rows
        )

    def _chosen_triggers(self) -> dict[int, tuple[int, ...]]:
        """Each rule wakes up by one of its places only: the one whose words the fewest other rules have."""
        uses: dict[int, int] = defaultdict(int)
        for rule in self._rules:
            for pattern in {p for place in rule.places for row in place for p in row}:
                uses[pattern] += 1
        triggers: dict[int, list[int]] = defaultdict(list)
        for number, rule in enumerate(self._rules):
            rarest = min(rule.places, key=lambda place: max(uses[row[0]] for row in place))
            for pattern in {row[0] for row in rarest}:
                triggers[pattern].append(number)
        return {pattern: tuple(own) for pattern, own in triggers.items()}


def _row_places(row: tuple[int, ...], places: Mapping[int, Sequence[int]]) -> Iterator[tuple[int, ...]]:
    """The indexes of the words wherever the patterns of `row` stand side by side."""
    rest = [set(places.get(pattern, ())) for pattern in row[1:]]
    for first in places.get(row[0], ()):
        if all(first + n + 1 in where for n, where in enumerate(rest)):
            yield tuple(range(first, first + len(row)))


def _spans(rule: _Rule, places: Mapping[int, Sequence[int]]) -> list[tuple[int, ...]]:
    """Where the phrase stands in the text: the indexes of its words, with the nearest beginning for each end."""
    spans: list[tuple[int, ...]] = []
    for index, (place, room) in enumerate(zip(rule.places, rule.room, strict=True)):
        here = sorted({span for row in place for span in _row_places(row, places)}, key=lambda span: span[-1])
        if index:
            ends = [span[-1] for span in spans]
            after = []
            for span in here:
                before = bisect_left(ends, span[0]) - 1
                if before >= 0 and span[0] - ends[before] <= room + 1:
                    after.append(spans[before] + span)
            here = after
        if not here:
            return []
        spans = here
    return spans
