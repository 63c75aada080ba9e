"""Finds danger in a text by the word rules of all languages at once; recall comes before precision, it never raises."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args
from zlib import crc32

import yaml

from bot.understanding.normalise import normalise, plain_words, squeeze

Kind = Literal["emergency", "suicide", "child", "violence", "threat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of danger, the most urgent first."""

RULES = Path(__file__).parent / "danger"

_NEAR = 2  # other words that may stand between two neighbouring words of a phrase
_FAR = 5  # … and where the phrase has ".."
_TYPO_LENGTH = 6  # shorter words get no typo tolerance: too many of them are one letter away from another word
_GLUED_LENGTH = 8  # a phrase written without spaces is only looked for when it has this many letters
_SPELLED_LENGTH = 6  # … and of letters that were typed one by one: "w i l d o o d"
_GLUED_LONGEST = 24
_GLUED_FORMS = 60
_REMEMBERED = 16384  # words: people use the same ones again and again
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


class _Patterns:
    """The word patterns of all rules: numbers for "word", "begin*", "*end" and "*middle*"."""

    def __init__(self) -> None:
        self._count = 0
        self._whole: dict[str, int] = {}
        self._begin: dict[str, int] = {}
        self._end: dict[str, int] = {}
        self._middle: dict[str, int] = {}
        self._long: list[tuple[str, int]] = []  # patterns that may be misspelt; "begin*" as -1 - number
        self._forms: Any = ()  # rising numbers of what is left of them without one letter, and whose each is
        self._owners: Any = ()
        self._begin_lengths: list[int] = []
        self._longest = 0

    def number(self, core: str, *, begin: bool, end: bool) -> int:
        """The number of a pattern; `begin` is true for "core*", `end` for "*core"."""
        home = {(0, 0): self._whole, (1, 0): self._begin, (0, 1): self._end, (1, 1): self._middle}[begin, end]
        if core not in home:
            home[core] = self._count
            self._count += 1
        return home[core]

    def seal(self) -> None:
        """Prepare typo tolerance, once all patterns are known."""
        import numpy as np  # a tenth of a second, off the path of the first poll

        self._long = [
            (core, number if home is self._whole else -1 - number)
            for home in (self._whole, self._begin)
            for core, number in home.items()
            if len(core) >= _TYPO_LENGTH and not any(map(str.isdigit, core))
        ]
        forms = [_numbers(core) for core, _ in self._long]
        numbers = np.array([number for own in forms for number in own], dtype=np.uint32)
        owners = np.repeat(np.arange(len(forms), dtype=np.int32), [len(own) for own in forms])
        order = numbers.argsort()
        self._forms, self._owners = numbers[order], owners[order]
        self._longest = max(map(len, [*self._begin, *self._end]), default=0)
        self._begin_lengths = sorted({len(core) for core in self._begin if len(core) >= _TYPO_LENGTH})

    def of(self, word: str, *, typos: bool) -> set[int]:
        """The numbers of all patterns that fit `word`, also behind the particles that Arabic writes to it."""
        found = self._exactly(word)
        for bare in _without_particles(word):
            found |= self._exactly(bare)
        if typos and not found and _TYPO_LENGTH <= len(word) + 1 <= 40:  # noqa: PLR2004
            found.update(self._nearly(word))
        return found

    def _exactly(self, word: str) -> set[int]:
        found = set()
        if word in self._whole:
            found.add(self._whole[word])
        for cut in range(1, min(len(word), self._longest) + 1):
            if (number := self._begin.get(word[:cut])) is not None:
                found.add(number)
            if (number := self._end.get(word[-cut:])) is not None:
                found.add(number)
        found.update(number for core, number in self._middle.items() if core in word)
        return found

    def _nearly(self, word: str) -> Iterator[int]:
        """Patterns one edit away from `word`; the first letter must be right."""
        for core, number in self._alike(word):
            if number >= 0 and _one_edit(core, word):
                yield number
        for length in self._begin_lengths:
            for size in (length - 1, length, length + 1):
                if size > len(word):
                    break
                head = word[:size]
                for core, number in self._alike(head):
                    if number < 0 and len(core) == length and _one_edit(core, head):
                        yield -1 - number

    def _alike(self, word: str) -> set[tuple[str, int]]:
        """Patterns that share what is left without one letter; few of them are really one edit away."""
        numbers = _numbers(word)
        first = self._forms.searchsorted(numbers, side="left").tolist()
        last = self._forms.searchsorted(numbers, side="right").tolist()
        return {
            self._long[self._owners[at]] for start, end in zip(first, last, strict=True) for at in range(start, end)
        }


_PARTICLES = "وفبل"  # and, so, with, to: written to the next word
_ARTICLE = "ال"
_BARE_LENGTH = 3


def _without_particles(word: str) -> list[str]:
    """An Arabic word without a particle before it, without the article, and without both."""
    bare = [word[1:]] if word[:1] and word[0] in _PARTICLES and len(word) > _BARE_LENGTH else []
    bare += [form[2:] for form in (word, *bare) if form.startswith(_ARTICLE) and len(form) > _BARE_LENGTH + 1]
    return bare


def _plain(written: str) -> str:
    """`normalise`, quickly for the many patterns that are plain already."""
    bare = written.strip("*")
    return bare.lower() if bare.isascii() and bare.isalnum() else normalise(bare)


def _numbers(word: str) -> list[int]:
    """The numbers of `word` itself and of it without one of its letters, never without the first."""
    return [crc32(form.encode()) for form in {word, *(word[:cut] + word[cut + 1 :] for cut in range(1, len(word)))}]


def _one_edit(one: str, other: str) -> bool:
    """Whether one letter was changed, added, left out, or swapped with its neighbour; the first letter is the same."""
    if one[:1] != other[:1]:
        return False
    if len(one) > len(other):
        one, other = other, one
    start = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
    if len(one) < len(other):
        return len(other) - len(one) == 1 and one[start:] == other[start + 1 :]
    rest, theirs = one[start:], other[start:]
    return rest[1:] == theirs[1:] or (rest[:2] == theirs[1::-1] and rest[2:] == theirs[2:])


@dataclass(slots=True)
class _Words:
    """The words of a text, and where the patterns of the rules stand."""

    words: list[str]
    places: dict[int, list[int]] = field(default_factory=dict)


class Danger:
    """The rules of all languages, compiled. Built once; `look` only reads and may run in several threads."""

    def __init__(self, rules: Mapping[str, Mapping[str, Any]], known: Container[str] = ()) -> None:
        """`rules`: language → the content of its file. `known`: ordinary words that are nobody's typing error."""
        self._patterns = _Patterns()
        self._known = known
        self._rules: list[_Rule] = []
        self._glued: dict[str, _Rule] = {}
        self._triggers: dict[int, list[int]] = defaultdict(list)
        for language, file in sorted(rules.items()):
            for kind in KINDS:
                for phrase in file.get("kinds", {}).get(kind, ()):
                    self._add(kind, language, str(phrase))
            for phrase in file.get("look_alikes", ()) or ():
                self._add(None, language, str(phrase))
        self._patterns.seal()
        self._choose_triggers()
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
        ways = [(form.split(), _GLUED_LENGTH) for form in forms]
        spelled = plain_words(text)
        if len(spelled) < len(ways[0][0]):
            ways.append((spelled, _SPELLED_LENGTH))
        for words, least in ways:
            for rule in self._match(words, least):
                if rule.kind is not None:
                    found.setdefault(rule.kind, Found(rule.kind, rule.language, rule.phrase))
        return tuple(found[kind] for kind in KINDS if kind in found)

    def _match(self, words: list[str], least: int) -> Iterator[_Rule]:
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
            alternatives = [row for alternative in word.split("|") for row in self._alternative(alternative)]
            if not alternatives:
                continue
            places.append(tuple(alternatives))
            room.append(gap)
            plain.append([_plain(a).replace(" ", "") for a in word.split("|") if "*" not in a])
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

    def _alternative(self, written: str) -> Iterator[tuple[int, ...]]:
        """The word patterns of one alternative; "don't" may be written in two words or in one."""
        end, begin = written.startswith("*"), written.endswith("*")
        cores = _plain(written).split()
        for row in [cores, ["".join(cores)]] if len(cores) > 1 else [cores] if cores else []:
            last = len(row) - 1
            yield tuple(
                self._patterns.number(core, begin=begin and i == last, end=end and i == 0) for i, core in enumerate(row)
            )

    def _choose_triggers(self) -> None:
        """Each rule wakes up by one of its places only: the one whose words the fewest other rules have."""
        uses: dict[int, int] = defaultdict(int)
        for rule in self._rules:
            for pattern in {p for place in rule.places for row in place for p in row}:
                uses[pattern] += 1
        for number, rule in enumerate(self._rules):
            rarest = min(rule.places, key=lambda place: max(uses[row[0]] for row in place))
            for pattern in {row[0] for row in rarest}:
                self._triggers[pattern].append(number)


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
