"""What is learnt from, made ready: texts as words, misspelt as fear types them, and as pieces; it must not learn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bot.understanding.knowledge import DANGER
from bot.understanding.pieces import letters_of, numbered, words_of
from bot.understanding.scripts import LATIN, main_script

Array = NDArray[Any]

NONE: Final = -1
"""No label: of a text that teaches none, of a row that is nobody's copy."""

_MISSPELT: Final = 2  # how many misspelt copies of a sentence of danger are learnt from
_GLUED_MOST: Final = 24  # letters of a sentence that is also learnt without its spaces

Crisis = Mapping[str, Mapping[str, Sequence[str]]]
"""Language → kind of danger, or "" for what is none → texts."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Texts in pieces, end to end: `numbers`, `parts` (see `pieces.numbered`); `ends` (texts): where each one ends."""

    numbers: Array
    parts: Array
    ends: Array

    @property
    def texts(self) -> Array:
        """The number of the text that each piece belongs to."""
        return np.repeat(np.arange(len(self.ends)), np.diff(self.ends, prepend=0))

    def only(self, rows: Array) -> Taken:
        """The same of some of the texts, in that order."""
        starts, ends = np.concatenate([[0], self.ends[:-1]])[rows], self.ends[rows]
        sizes = ends - starts
        own = sizes.cumsum()
        at = np.arange(own[-1] if len(own) else 0) + (starts - own + sizes).repeat(sizes)
        return Taken(self.numbers[at], self.parts[at], own)


def take(texts: Sequence[Sequence[str]]) -> Taken:
    """The pieces of texts, each given as its words."""
    letters = lru_cache(maxsize=None)(letters_of)  # gone with this call
    pieces = [numbered(words, letters) for words in texts]
    return Taken(
        np.concatenate([numbers for numbers, _ in pieces]),
        np.concatenate([parts for _, parts in pieces]),
        np.cumsum([len(numbers) for numbers, _ in pieces]),
    )


@dataclass(frozen=True, slots=True)
class Lessons:
    """What the languages of one script are taught with.

    Per row: the text as it was written, its label (or NONE), the kind of danger (or NONE), the number of its language,
    and the row that it only spells otherwise (or NONE).
    """

    written: list[str]
    taken: Taken
    words: list[tuple[str, ...]]
    labels: Array
    dangers: Array
    codes: Array
    roots: Array


def lessons(
    codes: Sequence[str], rows: Sequence[tuple[str, str, str]], crisis: Crisis, number: Mapping[str, int], script: str
) -> Lessons:
    """All examples (`rows`: text, label, language) and sentences of danger of these languages.

    Danger is also taught misspelt, and in a script that is not Latin everything also by its consonants. `number`: the
    column of each label.
    """
    texts: list[str] = []
    facts: list[tuple[int, int, int, int]] = []
    for at, code in enumerate(codes):
        dice = random.Random(code)  # noqa: S311 (the same mistakes each time)
        for text, label, _ in (row for row in rows if row[2] == code):
            texts.append(text)
            facts.append((number[label], NONE, at, NONE))
        for kind, told in crisis.get(code, {}).items():
            danger = number[DANGER + kind] if kind else NONE
            for text in told:
                root = len(texts)
                copies = _copies(text, dice)
                texts += [text, *copies]
                facts += [(NONE, danger, at, NONE), *([(NONE, danger, at, root)] * len(copies))]
    heard = [script != LATIN and main_script(text) == LATIN for text in texts]
    words = [words_of(text, bare=bare) for text, bare in zip(texts, heard, strict=True)]
    if script != LATIN:
        for row in [row for row, bare in enumerate(heard) if not bare]:
            texts.append(texts[row])
            words.append(words_of(texts[row], bare=True))
            fact = facts[row]
            facts.append((*fact[:3], row if fact[3] == NONE else fact[3]))
    labels, dangers, own, roots = np.array(facts).T
    return Lessons(texts, take(words), words, labels, dangers, own, roots)


def _copies(text: str, dice: random.Random) -> list[str]:
    """The text as fear types it, and a short one also without its spaces."""
    glued = "".join(text.split())
    return [
        *(_misspelt(text, dice) for _ in range(_MISSPELT)),
        *([glued] if " " in text and len(glued) <= _GLUED_MOST else []),
    ]


def _misspelt(text: str, dice: random.Random) -> str:
    """About every twelfth letter is left out, doubled or in the wrong place."""
    letters = list(text)
    for _ in range(max(1, len(letters) // 12)):
        at = dice.randrange(len(letters))
        match dice.randrange(4):
            case 0 | 1:
                letters[at] = ""
            case 2:
                letters[at] *= 2
            case _ if at + 1 < len(letters):
                letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)
