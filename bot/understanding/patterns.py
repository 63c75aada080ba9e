"""Which word patterns fit a word, also when it is misspelt; it must not know phrases, nor what a pattern tells of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from zlib import crc32

from bot.understanding.normalise import normalise

_TYPO_LENGTH = 6  # shorter words get no typo tolerance: too many of them are one letter away from another word


class Patterns:
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


def plain_pattern(written: str) -> str:
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
