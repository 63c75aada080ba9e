"""Finds danger in a text by the word rules of all languages at once; recall comes before precision, it never raises."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from bot.understanding.normalise import joined, normalise, squeeze

Kind = Literal["emergency", "suicide", "child", "violence", "threat"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""Kinds of danger, the most urgent first."""

RULES = Path(__file__).parent / "danger"

_NEAR = 2  # other words that may stand between two neighbouring words of a phrase
_FAR = 5  # … and where the phrase has ".."
_TYPO_LENGTH = 6  # shorter words get no typo tolerance: too many of them are one letter away from another word
_GLUED_LENGTH = 8  # a phrase written without spaces is only looked for when it has this many letters
_GLUED_LONGEST = 24
_GLUED_FORMS = 60
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


class _Patterns:
    """The word patterns of all rules: numbers for "word", "begin*", "*end" and "*middle*"."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._whole: dict[str, int] = {}
        self._begin: dict[str, int] = {}
        self._end: dict[str, int] = {}
        self._middle: dict[str, int] = {}
        self._typos: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._begin_lengths: list[int] = []
        self._longest = 0

    def number(self, core: str, *, begin: bool, end: bool) -> int:
        """The number of a pattern; `begin` is true for "core*", `end` for "*core"."""
        home = {(0, 0): self._whole, (1, 0): self._begin, (0, 1): self._end, (1, 1): self._middle}[begin, end]
        if core not in home:
            home[core] = len(self._numbers)
            self._numbers[core, f"{begin}{end}"] = home[core]
        return home[core]

    def seal(self) -> None:
        """Prepare typo tolerance, once all patterns are known."""
        for home, open_end in ((self._whole, False), (self._begin, True)):
            for core, number in home.items():
                if len(core) >= _TYPO_LENGTH and not any(map(str.isdigit, core)):
                    for form in _shorter(core):
                        self._typos[form].append((core, number if not open_end else -1 - number))
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
        for form in _shorter(word):
            for core, number in self._typos.get(form, ()):
                if number >= 0 and _one_edit(core, word):
                    yield number
        for length in self._begin_lengths:
            for size in (length - 1, length, length + 1):
                if size > len(word):
                    break
                head = word[:size]
                for form in _shorter(head):
                    for core, number in self._typos.get(form, ()):
                        if number < 0 and len(core) == length and _one_edit(core, head):
                            yield -1 - number


_PARTICLES = "وفبل"  # and, so, with, to: written to the next word
_ARTICLE = "ال"
_BARE_LENGTH = 3


def _without_particles(word: str) -> list[str]:
    """An Arabic word without a particle before it, without the article, and without both."""
    bare = [word[1:]] if word[:1] and word[0] in _PARTICLES and len(word) > _BARE_LENGTH else []
    bare += [form[2:] for form in (word, *bare) if form.startswith(_ARTICLE) and len(form) > _BARE_LENGTH + 1]
    return bare


def _shorter(word: str) -> set[str]:
    """`word` itself and without one of its letters, never without the first."""
    return {word, *(word[:cut] + word[cut + 1 :] for cut in range(1, len(word)))}


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

    def __init__(self, rules: Mapping[str, Mapping[str, Any]], known: Collection[str] = ()) -> None:
        """`rules`: language → the content of its file. `known`: ordinary words that are nobody's typing error."""
        self._patterns = _Patterns()
        self._known = frozenset(known)
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

    @classmethod
    def read(cls, folder: Path = RULES, known: Collection[str] = ()) -> Danger:
        """The rules of all languages in `folder`, one YAML file each."""
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        files = {path.stem: yaml.load(path.read_bytes(), loader) for path in sorted(folder.glob("*.yaml"))}  # noqa: S506
        return cls(files, known)

    def look(self, text: str) -> tuple[Found, ...]:
        """What danger is in `text`: one entry per kind, the most urgent kind first."""
        found: dict[Kind, Found] = {}
        plain = normalise(text)
        forms = {plain: None, squeeze(plain): None, squeeze(plain, 2): None}
        for form in forms:
            words = form.split()
            for sequence in (words, _without_gaps(words)):
                if sequence:
                    for rule in self._match(sequence):
                        if rule.kind is not None:
                            found.setdefault(rule.kind, Found(rule.kind, rule.language, rule.phrase))
        return tuple(found[kind] for kind in KINDS if kind in found)

    def _match(self, words: list[str]) -> Iterator[_Rule]:
        places: dict[int, list[int]] = defaultdict(list)
        patterns: dict[str, set[int]] = {}
        for index, word in enumerate(words):
            if word not in patterns:
                patterns[word] = self._patterns.of(word, typos=word not in self._known)
                yield from self._glued_in(word)
            for number in patterns[word]:
                places[number].append(index)
        rules = {number: None for pattern in places for number in self._triggers.get(pattern, ())}
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

    def _glued_in(self, word: str) -> Iterator[_Rule]:
        """Rules whose phrase stands in `word` without its spaces ("iwanttodie")."""
        if _GLUED_LENGTH <= len(word) <= _WORD_LIMIT and word not in self._known:
            for size in range(_GLUED_LENGTH, min(len(word), _GLUED_LONGEST) + 1):
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
            plain.append([normalise(a).replace(" ", "") for a in word.split("|") if "*" not in a])
            gap = _NEAR
        if not places:
            return
        rule = _Rule(kind, language, phrase, tuple(places), tuple(room))
        self._rules.append(rule)
        if kind is not None and len(plain) > 1 and ".." not in phrase:
            for row in itertools.islice(itertools.product(*plain), _GLUED_FORMS):
                glued = "".join(row)
                if len(glued) >= _GLUED_LENGTH:
                    self._glued.setdefault(glued, rule)

    def _alternative(self, written: str) -> Iterator[tuple[int, ...]]:
        """The word patterns of one alternative; "don't" may be written in two words or in one."""
        end, begin = written.startswith("*"), written.endswith("*")
        cores = normalise(written).split()
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


def _without_gaps(words: list[str]) -> list[str]:
    """The words with spelled-out ones ("d i e") written as one; empty if there are none."""
    runs = joined(words)
    result = list(words)
    for start, count, word in reversed(runs):
        result[start : start + count] = [word]
    return result if runs else []


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
