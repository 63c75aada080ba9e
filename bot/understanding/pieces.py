"""Takes a text apart into the numbered pieces that topic and danger are read from; it knows no language.

A piece is a word, two words side by side, the beginnings of two words that stand near each other, or two to four
letters of a word. Its number is a CRC-32: the table of a model needs no strings, and is read without making any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.understanding.normalise import pictures_in, plain_words
from bot.understanding.skeleton import skeleton_words

Array = NDArray[Any]

SHARES: Final = np.array([0.4, 0.3, 0.7, 0.6], dtype=np.float32)
"""How much words, neighbours, near beginnings and letters count: the length of each part of a text's vector.

Chosen on CLINC150 with 15 examples per intent and on the pack with examples left out (docs/evaluation.md).
"""
WORDS, NEIGHBOURS, BEGINNINGS, LETTERS = range(4)

_BEGINNING: Final = 4
_NEAR: Final = 6
_SIZES: Final = (2, 3, 4)
_LONGEST: Final = 40  # of a word: what is longer is no word


def letters_of(word: str) -> list[int]:
    """The numbers of the groups of letters in a word; a border counts as a letter."""
    padded = f" {word[:_LONGEST]} "
    found = []
    for size in _SIZES:
        if size >= len(padded):
            found.append(crc32(padded.encode()) ^ LETTERS)
            break
        found += [crc32(padded[at : at + size].encode()) ^ LETTERS for at in range(len(padded) - size + 1)]
    return found


def word_number(word: str) -> int:
    """The number of a word that is plain already."""
    return crc32(b"w" + word.encode())


def between(words: Sequence[str]) -> tuple[list[int], list[int]]:
    """The numbers of neighbours (with the borders of the text) and of near beginnings, these in any order."""
    plain = [word.encode() for word in ("^", *words, "$")]
    begins = [word[:_BEGINNING].encode() for word in words]
    near = [
        crc32(b"b%b|%b" % ((one, other) if one < other else (other, one)))
        for at, one in enumerate(begins)
        for other in begins[at + 1 : at + 1 + _NEAR]
    ]
    return [crc32(b"n%b %b" % pair) for pair in pairwise(plain)], near


def numbered(words: Sequence[str], letters: Callable[[str], list[int]] = letters_of) -> tuple[Array, Array]:
    """All pieces of a text: their numbers (n, uint32) and the part each belongs to (n, 0–3).

    `letters`: `letters_of`, or what remembers it.
    """
    parts = ([word_number(word) for word in words], *between(words), [n for word in words for n in letters(word)])
    numbers = np.array([number for part in parts for number in part], dtype=np.uint32)
    return numbers, np.repeat(np.arange(len(parts), dtype=np.int8), [len(part) for part in parts])


def words_of(text: str, *, bare: bool = False) -> tuple[str, ...]:
    """The words of a text of any kind, also of an empty one, and the `PICTURES` in it.

    `bare`: only their consonants: how a text in Latin letters meets a language that has others.
    """
    words = skeleton_words(text) if bare else plain_words(text)
    return (*words, *pictures_in(text))
